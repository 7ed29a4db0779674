import { jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import type { StoredEvent } from '../../shared/define-event.js';
import { Failure } from '../../shared/failure.js';
import { newId } from '../../shared/sid.js';
import type { DurableConsumer } from './consumer.js';
import { Unavailable } from './effect.js';
import type { EventBus } from './event-bus.js';
import {
  appendAll,
  disordered,
  effectsOf,
  MODULE,
  makeEffectTables,
  openBus,
  openHouse,
  recordEffects,
  recorder,
  Streams,
  type TestHouse,
} from './event-log.test-support.js';

// Servers and processes are slow on a busy machine.
jest.setTimeout(120_000);

const FIRST = { consumer: '', position: 0 };

let database: TestDatabase;
let house: TestHouse;
let bus: EventBus;
let id: string;
let names = 0;
/** Why the effect of an event fails; null when it does not. */
let trouble: (event: StoredEvent) => unknown;
/** How often the effect of one event alone was tried, by stream and version. */
let alone: Map<string, number>;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  await makeEffectTables(database.url);
  house = openHouse(database.url);
});

afterAll(async () => {
  await house?.db.close();
  await database?.stop();
});

beforeEach(async () => {
  id = `${MODULE}.picky-${'abcdefghijklmnopqrstuvwxyz'[names++]}`;
  trouble = () => null;
  alone = new Map();
  await house.store.declare(id, MODULE);
  await house.db.query(`update ${MODULE}.consumer set position = $2 where id = $1`, [id, await house.log.head()]);
  bus = openBus(house, [picky()]);
  await bus.startConsumers();
});

afterEach(async () => {
  await bus.stop();
});

/** Writes its effects, then fails if one of the events is in trouble: nothing of such a batch may remain. */
function picky(): DurableConsumer {
  const own = id;
  const apply: DurableConsumer['apply'] = async (tx, events) => {
    await recordEffects(tx, own, events);
    for (const event of events) {
      const key = `${event.streamId}/${event.version}`;
      if (events.length === 1) alone.set(key, (alone.get(key) ?? 0) + 1);
      const error = trouble(event);
      if (error) throw error;
    }
  };
  return recorder(own, { batchSize: 50, apply });
}

/** Waits, and makes what waits for its next attempt due, so that no test lasts as long as the backoff. */
function soon(condition: () => Promise<boolean>): Promise<boolean> {
  return eventually(async () => {
    await house.db.query(`update ${MODULE}.parked_event set next_attempt_at = '-infinity' where state = 'waiting'`);
    return condition();
  });
}

const parked = async () => (await bus.parked(FIRST, 100)).filter((event) => event.consumer === id);
const parkedIs = (count: number) => async () => (await parked()).length === count;
const seen = async (streamId?: string) =>
  (await effectsOf(house.db, id)).filter((effect) => streamId === undefined || effect.streamId === streamId);
const seenIs = (count: number) => async () => (await seen()).length === count;
const versionsOf = async (streamId: string) => (await seen(streamId)).map((effect) => effect.version);
const asideCount = async () => {
  const status = (await bus.positions()).find((consumer) => consumer.id === id)!;
  return status.waiting + status.parked;
};

describe('an effect that fails', () => {
  it('five times parks its stream and no other, and the later events of the stream wait behind it', async () => {
    const streams = new Streams(4);
    const [bad] = streams.ids;
    trouble = (event) => (event.streamId === bad && event.version === 2 ? new Error('no such thing\0') : null);
    await appendAll(house, streams.next(12));
    await soon(parkedIs(1));
    await soon(seenIs(10));
    const [event] = await parked();
    expect(event).toMatchObject({ consumer: id, streamId: bad, attempts: 5, error: 'Error: no such thing' });
    expect(alone.get(`${bad}/2`)).toBe(5);
    expect(await versionsOf(bad!)).toEqual([1]);
    expect(await asideCount()).toBe(2);

    // The others go on, while it stays parked for as long as nobody decides.
    await appendAll(house, streams.next(8));
    await soon(seenIs(16));
    expect(await versionsOf(bad!)).toEqual([1]);
    expect(alone.get(`${bad}/2`)).toBe(5);
    expect(await asideCount()).toBe(4);
  });

  it('goes on from where it stopped when an operator has it retried', async () => {
    const streams = new Streams(3);
    const [bad] = streams.ids;
    trouble = (event) => (event.streamId === bad ? new Error('not yet') : null);
    await appendAll(house, streams.next(30));
    await soon(parkedIs(1));
    trouble = () => null;
    const [event] = await parked();
    expect(await bus.resolveParked(id, event!.position, 'retry')).toBe(true);
    await soon(seenIs(30));
    expect(disordered(await seen())).toEqual([]);
    expect(await asideCount()).toBe(0);
    expect(await bus.resolveParked(id, event!.position, 'retry')).toBe(false);
  });

  it('is tried five times more when an operator has it retried in vain', async () => {
    const streams = new Streams(1);
    trouble = () => new Error('never');
    await appendAll(house, streams.next(1));
    await soon(parkedIs(1));
    const [event] = await parked();
    await bus.resolveParked(id, event!.position, 'retry');
    await soon(async () => alone.get(`${streams.ids[0]}/1`) === 10);
    await soon(parkedIs(1));
    expect(alone.get(`${streams.ids[0]}/1`)).toBe(10);
  });

  it('is left out when an operator skips it, and what waited behind it goes on', async () => {
    const streams = new Streams(2);
    const [bad] = streams.ids;
    trouble = (event) => (event.streamId === bad && event.version === 1 ? 'a thrown text' : null);
    await appendAll(house, streams.next(10));
    await soon(parkedIs(1));
    const [event] = await parked();
    expect(event!.error).toBe('Error: a thrown text');
    expect(await bus.resolveParked(id, event!.position, 'skip')).toBe(true);
    await soon(seenIs(9));
    expect(await versionsOf(bad!)).toEqual([2, 3, 4, 5]);
    expect(await asideCount()).toBe(0);
    expect(await bus.resolveParked(id, event!.position, 'skip')).toBe(false);
    expect(await bus.resolveParked('messaging.nobody', event!.position, 'skip')).toBe(false);
  });

  it('now and then still has its effect once, and each stream its order', async () => {
    const streams = new Streams(10);
    const tries = new Map<number, number>();
    trouble = ({ position }) => {
      const count = (tries.get(position) ?? 0) + 1;
      tries.set(position, count);
      // As part of its page and once more alone.
      return position % 7 === 0 && count <= 3 ? new Error('flaky') : null;
    };
    await appendAll(house, streams.next(200), 20);
    await soon(seenIs(200));
    expect(disordered(await seen())).toEqual([]);
    expect(await parked()).toEqual([]);
    expect(await asideCount()).toBe(0);
  });

  it('keeps its stream waiting when the process is replaced by another', async () => {
    const streams = new Streams(2);
    const [bad] = streams.ids;
    trouble = (event) => (event.streamId === bad ? new Error('never') : null);
    await appendAll(house, streams.next(4));
    await soon(parkedIs(1));
    await bus.stop();
    bus = openBus(house, [picky()]);
    await bus.startConsumers();
    await appendAll(house, streams.next(4));
    await soon(seenIs(4));
    expect(await versionsOf(bad!)).toEqual([]);
    expect(await asideCount()).toBe(4);
  });

  it('is dropped when its event is no longer in the log', async () => {
    const streams = new Streams(1);
    await house.db.query(
      `insert into ${MODULE}.parked_event (consumer, position, stream_id, state, attempts, next_attempt_at)
        values ($1, 900000, $2, 'waiting', 1, '-infinity')`,
      [id, streams.ids[0]],
    );
    await bus.stop();
    bus = openBus(house, [picky()]);
    await bus.startConsumers();
    await appendAll(house, streams.next(2));
    await soon(seenIs(2));
    expect(await asideCount()).toBe(0);
  });
});

describe('what is no fault of the event', () => {
  it.each([
    // More often than an event may fail.
    ['a dependency that says so', 6, new Unavailable('the other module is away')],
    ['a contract over its capacity', 2, new Failure('unavailable')],
    ['a database that restarts', 2, Object.assign(new Error('shutting down'), { code: '57P01' })],
    ['a broken connection', 2, new Error('Connection terminated unexpectedly')],
    ['a deadlock', 2, Object.assign(new Error('deadlock detected'), { code: '40P01' })],
    ['what one of these caused', 2, new Error('no', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) })],
  ])('parks nothing and is tried again: %s', async (_name, failures, error) => {
    const streams = new Streams(3);
    let times = 0;
    trouble = () => (++times <= failures ? error : null);
    const aside: number[] = [];
    await appendAll(house, streams.next(9));
    await eventually(async () => {
      aside.push(await asideCount());
      return (await seen()).length === 9;
    });
    expect(new Set(aside)).toEqual(new Set([0]));
    expect(disordered(await seen())).toEqual([]);
  });
});

describe('the list of parked events', () => {
  it('can be read page by page, in the order of consumers and positions', async () => {
    const rows = [
      ['messaging.list-b', 9],
      ['messaging.list-b', 30],
      ['messaging.list-z', 1],
      ['messaging.lista', 2],
    ] as const;
    for (const [consumer, position] of rows.toReversed()) {
      await house.store.declare(consumer, MODULE);
      await house.db.query(
        `insert into ${MODULE}.parked_event (consumer, position, stream_id, state, attempts, next_attempt_at)
          values ($1, $2, $3, 'parked', 5, now())`,
        [consumer, position, newId()],
      );
    }
    for (const consumer of new Set(rows.map((row) => row[0]))) {
      bus.consume(house.store, recorder(consumer));
    }
    const seen = [];
    for (let after = FIRST; ; ) {
      const page = await bus.parked(after, 2);
      expect(page.length).toBeLessThanOrEqual(2);
      if (page.length === 0) break;
      seen.push(...page);
      after = page.at(-1)!;
    }
    const ours = seen.filter((event) => event.consumer.startsWith('messaging.list'));
    expect(ours.map((event) => [event.consumer, event.position])).toEqual(rows);
    expect(seen).toEqual(await bus.parked(FIRST, 100));
  });
});

describe('the next attempt', () => {
  it('comes after a growing, random wait that is bounded', async () => {
    const event = { ...new Streams(1).next(1)[0]!, position: 1, occurredAt: new Date() };
    await house.store.parked.add(house.db, id, event, new Error('first'));
    for (const [attempts, atMostMs] of [
      [2, 2_000],
      [4, 8_000],
      [20, 30_000],
    ] as const) {
      await house.store.parked.failed(house.db, id, 1, attempts, false, new Error('again'));
      const { rows } = await house.db.query<{ ms: number }>(
        `select (extract(epoch from next_attempt_at - parked_at) * 1000)::float8 as ms
          from ${MODULE}.parked_event where consumer = $1`,
        [id],
      );
      expect(rows[0]!.ms).toBeGreaterThanOrEqual(0);
      expect(rows[0]!.ms).toBeLessThanOrEqual(atMostMs + 1_000);
    }
  });
});
