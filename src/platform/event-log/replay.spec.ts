import { jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import type { DurableConsumer } from './consumer.js';
import type { EventBus } from './event-bus.js';
import {
  appendAll,
  asSuperuser,
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

let database: TestDatabase;
let house: TestHouse;
let buses: EventBus[];

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  await makeEffectTables(database.url);
  house = openHouse(database.url);
});

beforeEach(() => {
  buses = [];
});

afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.stop()));
});

afterAll(async () => {
  await house?.db.close();
  await database?.stop();
});

async function start(consumer: DurableConsumer): Promise<EventBus> {
  const bus = openBus(house, [consumer]);
  buses.push(bus);
  await bus.startConsumers();
  return bus;
}

async function declareAtHead(id: string): Promise<number> {
  await house.store.declare(id, MODULE);
  const head = await house.log.head();
  await house.db.query(`update ${MODULE}.consumer set position = $2 where id = $1`, [id, head]);
  return head;
}

async function keyedCount(id: string): Promise<number> {
  const { rowCount } = await house.db.query(`select from ${MODULE}.keyed_effect where consumer = $1`, [id]);
  return rowCount ?? 0;
}

/** Records, per stream, in which order versions were given to the effect, of transactions that were committed. */
class Watch {
  readonly seen: { streamId: string; version: number }[] = [];

  consumer(id: string, fails: (position: number) => boolean = () => false): DurableConsumer {
    const apply: DurableConsumer['apply'] = async (tx, events) => {
      await recordEffects(tx, id, events, true);
      if (events.some((event) => fails(event.position))) throw new Error('flaky');
      return () => this.seen.push(...events.map(({ streamId, version }) => ({ streamId, version })));
    };
    return recorder(id, { batchSize: 50, apply });
  }

  /** Within a stream, an event follows its predecessor, or events that had been seen before begin anew. */
  leaps(): string[] {
    const last = new Map<string, number>();
    const highest = new Map<string, number>();
    const bad: string[] = [];
    for (const { streamId, version } of this.seen) {
      const isNext = version === (last.get(streamId) ?? 0) + 1;
      const isReplay = version === 1 && highest.has(streamId);
      if (!isNext && !isReplay) bad.push(`${streamId}: ${version} after ${last.get(streamId)}`);
      last.set(streamId, version);
      highest.set(streamId, Math.max(version, highest.get(streamId) ?? 0));
    }
    return bad;
  }
}

const isAtHead = (bus: EventBus, id: string) => async () => {
  await house.db.query(`update ${MODULE}.parked_event set next_attempt_at = '-infinity' where state = 'waiting'`);
  const position = (await bus.positions()).find((consumer) => consumer.id === id)!;
  return position.lag === 0 && position.waiting === 0;
};

describe('a replay from the first event', () => {
  it('while producers append and the consumer runs leaves the effect single and each stream in order', async () => {
    const id = 'messaging.replayed';
    const watch = new Watch();
    const bus = await start(watch.consumer(id));
    const producers = [1, 2, 3].map(() => new Streams(6));
    await Promise.all(producers.map((streams) => appendAll(house, streams.next(300), 30)));
    await eventually(async () => (await keyedCount(id)) > 200);
    const appending = Promise.all(producers.map((streams) => appendAll(house, streams.next(300), 10)));
    for (let times = 0; times < 3; times++) {
      const seen = watch.seen.length;
      expect(await bus.replay(id, 0)).toBe(true);
      await eventually(() => watch.seen.length > seen + 100);
    }
    await appending;
    await eventually(isAtHead(bus, id));
    expect(await keyedCount(id)).toBe(await house.log.head());
    expect(watch.seen.length).toBeGreaterThan(1800);
    expect(watch.leaps()).toEqual([]);
  });

  it('keeps the order also of streams that fail, are parked, retried and passed on to another process', async () => {
    const id = 'messaging.replayed-and-failing';
    const head = await declareAtHead(id);
    const watch = new Watch();
    const failures = new Map<number, number>();
    let isBroken = true;
    const fails = (position: number) => {
      const times = (failures.get(position) ?? 0) + 1;
      failures.set(position, times);
      if (isBroken && position % 53 === 0) return true;
      return position % 13 === 0 && times % 4 !== 0;
    };
    const first = await start(watch.consumer(id, fails));
    const streams = new Streams(10);
    const appending = appendAll(house, streams.next(200), 10);
    await eventually(async () => (await keyedCount(id)) > 50);
    await first.replay(id, head);
    await first.stop();
    const bus = await start(watch.consumer(id, fails));
    await appending;
    await bus.replay(id, head);
    await eventually(isAtHeadOrBehindParked(bus, id));
    isBroken = false;
    for (const event of await bus.parked({ consumer: '', position: 0 }, 1000)) {
      await bus.resolveParked(id, event.position, 'retry');
    }
    await eventually(isAtHead(bus, id));
    expect(await keyedCount(id)).toBe(200);
    expect(watch.leaps()).toEqual([]);
  });

  /** Nothing moves any more but what waits for an operator. */
  const isAtHeadOrBehindParked = (bus: EventBus, id: string) => async () => {
    await isAtHead(bus, id)();
    const heads = await house.store.parked.heads(id);
    const position = (await bus.positions()).find((consumer) => consumer.id === id)!;
    return position.lag === 0 && position.parked > 0 && heads.length === position.parked;
  };
});

describe('a database that goes away again and again', () => {
  it('costs neither an event nor an effect, parks nothing and ends no process', async () => {
    const id = 'messaging.persistent';
    await declareAtHead(id);
    const bus = await start(recorder(id, { batchSize: 20 }));
    const url = new URL(database.url);
    url.searchParams.set('application_name', 'appender');
    const appender = openHouse(url.href);
    try {
      const appending = appendAll(appender, new Streams(9).next(900), 10);
      const aside = new Set<number>();
      await asSuperuser(database.url, async (superuser) => {
        for (let times = 0; times < 12; times++) {
          await superuser.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trunkline/${MODULE}'`,
          );
          const { rows } = await superuser.query(
            `select count(*)::int as count from ${MODULE}.parked_event where consumer = $1`,
            [id],
          );
          aside.add(rows[0].count);
          await superuser.query('select pg_sleep(0.15)');
        }
      });
      await appending;
      await eventually(isAtHead(bus, id));
      const { rows } = await house.db.query(
        `select count(*)::int as count, count(distinct position)::int as positions from ${MODULE}.effect
          where consumer = $1`,
        [id],
      );
      expect(rows[0]).toEqual({ count: 900, positions: 900 });
      expect([...aside]).toEqual([0]);
    } finally {
      await appender.db.close();
    }
  });
});
