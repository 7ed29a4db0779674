import { setTimeout as delay } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import type { StoredEvent } from '../../shared/define-event.js';
import type { DurableConsumer } from './consumer.js';
import type { EventBus } from './event-bus.js';
import {
  appendAll,
  asSuperuser,
  counted,
  disordered,
  effectsOf,
  makeEffectTables,
  noted,
  openBus,
  openHouse,
  QUICK,
  quiet,
  recordEffects,
  recorder,
  Streams,
  type TestHouse,
} from './event-log.test-support.js';

let database: TestDatabase;
let house: TestHouse;
let buses: EventBus[];
let names = 0;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  await makeEffectTables(database.url);
  house = openHouse(database.url);
});

afterAll(async () => {
  await house?.db.close();
  await database?.stop();
});

beforeEach(() => {
  buses = [];
});

afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.stop()));
  jest.restoreAllMocks();
});

const nextName = () => `messaging.test-${'abcdefghijklmnopqrstuvwxyz'[names++]}`;

/** Starts a consumer at the head of the log, so that each test has events of its own. */
async function start(consumer: DurableConsumer, at?: number, settings = QUICK): Promise<EventBus> {
  await house.store.declare(consumer.id, consumer.source);
  const position = at ?? (await house.log.head());
  await house.db.query('update messaging.consumer set position = $2 where id = $1', [consumer.id, position]);
  const bus = openBus(house, [consumer], settings);
  buses.push(bus);
  await bus.startConsumers();
  return bus;
}

async function cursorOf(id: string): Promise<number> {
  const status = await house.store.status();
  return status.find((one) => one.id === id)!.position;
}

const effectCount = (id: string, count: number) => async () => (await effectsOf(house.db, id)).length === count;

describe('a consumer', () => {
  it('has each effect once and in order, in batches, whoever appends', async () => {
    const id = nextName();
    const batches: number[] = [];
    await start(
      recorder(id, {
        batchSize: 40,
        apply: (tx, events) => {
          batches.push(events.length);
          return recordEffects(tx, id, events);
        },
      }),
    );
    await Promise.all([1, 2, 3].map(() => appendAll(house, new Streams(5).next(200), 30)));
    await eventually(effectCount(id, 600));
    expect(disordered(await effectsOf(house.db, id))).toEqual([]);
    expect(Math.max(...batches)).toBeLessThanOrEqual(40);
    await eventually(async () => (await cursorOf(id)) === (await house.log.head()));
  });

  it('finds what other processes appended without being woken', async () => {
    const id = nextName();
    await start(recorder(id));
    const elsewhere = openHouse(database.url);
    await appendAll(elsewhere, new Streams(1).next(3));
    await elsewhere.db.close();
    await eventually(effectCount(id, 3));
  });

  it('moves its cursor over what it does not hear without a write per page', async () => {
    const id = nextName();
    const advance = jest.spyOn(house.store, 'advance');
    await start(recorder(id, { batchSize: 10 }));
    await appendAll(house, new Streams(1).next(2000, noted.type), 500);
    await eventually(async () => (await cursorOf(id)) === (await house.log.head()));
    // 200 pages; one write a second, while they last.
    expect(advance.mock.calls.length).toBeLessThan(50);
    expect(await effectsOf(house.db, id)).toEqual([]);
  });

  it('lets what trickles in gather, as long as it is told to', async () => {
    const id = nextName();
    const advance = jest.spyOn(house.store, 'advance');
    await start(recorder(id), undefined, { ...QUICK, gatherMs: () => 200 });
    for (let count = 0; count < 60; count++) {
      await appendAll(house, new Streams(1).next(1));
      await delay(5);
    }
    await eventually(effectCount(id, 60));
    expect(disordered(await effectsOf(house.db, id))).toEqual([]);
    expect(advance.mock.calls.length).toBeLessThan(30);
  });

  it('leaves out what does not concern it, and nothing of which that cannot be told', async () => {
    const id = nextName();
    const concerns = ({ version }: StoredEvent) => {
      if (version === 3) throw new Error('it cannot be read');
      return version % 2 === 0;
    };
    await start({ ...recorder(id), concerns });
    await appendAll(house, new Streams(1).next(6));
    await eventually(effectCount(id, 4));
    expect((await effectsOf(house.db, id)).map(({ version }) => version)).toEqual([2, 3, 4, 6]);
  });

  it('repeats nothing but the preparation of an effect that is all preparation, and saves its cursor soon', async () => {
    const id = nextName();
    const transaction = jest.spyOn(house.db, 'transaction');
    const prepared: number[] = [];
    const { source, types } = recorder(id);
    await start({ id, source, types, prepare: async (events) => void prepared.push(...events.map((e) => e.version)) });
    await appendAll(house, new Streams(1).next(5));
    transaction.mockClear();
    await eventually(async () => (await cursorOf(id)) === (await house.log.head()));
    expect(prepared).toEqual([1, 2, 3, 4, 5]);
    expect(transaction).not.toHaveBeenCalled();
  });

  it('saves its cursor when it stops, and takes it along with the next effect', async () => {
    const id = nextName();
    const bus = await start(recorder(id));
    await appendAll(house, [...new Streams(1).next(1), ...new Streams(1).next(5, noted.type)]);
    await eventually(effectCount(id, 1));
    await bus.stop();
    expect(await cursorOf(id)).toBe(await house.log.head());
  });

  it('hands the prepared value to the effect, and runs what follows after the commit', async () => {
    const id = nextName();
    const followed: boolean[] = [];
    await start(
      recorder(id, {
        prepare: async (events) => events.length,
        apply: async (tx, events, prepared) => {
          await recordEffects(tx, id, events);
          return () => {
            void effectsOf(house.db, id).then((seen) => followed.push(prepared === 3 && seen.length === 3));
          };
        },
      }),
    );
    await appendAll(house, new Streams(1).next(3));
    await eventually(() => followed.length === 1);
    expect(followed).toEqual([true]);
  });

  it.each(['throws', 'rejects'])('does not repeat an effect when what follows it %s', async (how) => {
    const id = nextName();
    const errors = jest.spyOn(quiet, 'error');
    await start(
      recorder(id, {
        apply: async (tx, events) => {
          await recordEffects(tx, id, events);
          return how === 'throws' ? fail : async () => fail();
        },
      }),
    );
    const streams = new Streams(1);
    await appendAll(house, streams.next(2));
    await eventually(effectCount(id, 2));
    await appendAll(house, streams.next(1));
    await eventually(effectCount(id, 3));
    expect(disordered(await effectsOf(house.db, id))).toEqual([]);
    expect(errors).toHaveBeenCalled();
  });

  function fail(): void {
    throw new Error('the listener is broken');
  }

  it('does not repeat an effect whose commit was answered by silence', async () => {
    const id = nextName();
    await start(recorder(id));
    const streams = new Streams(2);
    const { transaction } = house.db;
    const lost = jest.spyOn(house.db, 'transaction').mockImplementationOnce(async (work) => {
      await transaction.call(house.db, work);
      throw new Error('Connection terminated unexpectedly');
    });
    await appendAll(openHouseSharing(house), streams.next(4));
    await eventually(effectCount(id, 4));
    await eventually(async () => (await cursorOf(id)) === (await house.log.head()));
    lost.mockRestore();
    await appendAll(house, streams.next(4));
    await eventually(effectCount(id, 8));
    expect(disordered(await effectsOf(house.db, id))).toEqual([]);
  });

  /** Appends without the transaction that a test has replaced. */
  function openHouseSharing({ db, log, store }: TestHouse): TestHouse {
    const own = Object.create(db) as typeof db;
    own.transaction = async (work) => {
      const client = await db.data.connect();
      try {
        await client.query('begin');
        const result = await work(client);
        await client.query('commit');
        return result;
      } finally {
        client.release();
      }
    };
    return { db: own, log, store };
  }
});

describe('the place of a cursor', () => {
  it('is moved on to the oldest event when those before it were dropped, and back when the log ends before it', async () => {
    const id = nextName();
    const head = await house.log.head();
    const far = head + 5_000;
    await asSuperuser(database.url, (client) => client.query('update messaging.event_head set position = $1', [far]));
    await appendAll(house, new Streams(1).next(3));
    const bus = await start(recorder(id), head);
    await eventually(effectCount(id, 3));
    expect((await effectsOf(house.db, id)).map((effect) => effect.position)).toEqual([far + 1, far + 2, far + 3]);
    await bus.stop();

    const ahead = nextName();
    const errors = jest.spyOn(quiet, 'error');
    await start(recorder(ahead), far + 1_000);
    await eventually(async () => (await cursorOf(ahead)) === far + 3);
    expect(errors).toHaveBeenCalledWith(expect.objectContaining({ consumer: ahead }), expect.any(String));
    await appendAll(house, new Streams(1).next(2));
    await eventually(effectCount(ahead, 2));
  });

  it('can be set back, not forward, and only of a consumer that there is', async () => {
    const id = nextName();
    const head = await house.log.head();
    const bus = await start(recorder(id));
    await appendAll(house, new Streams(1).next(3));
    await eventually(effectCount(id, 3));
    await expect(bus.replay(id, head + 4)).rejects.toMatchObject({ failure: 'invalid_parameter', field: 'from' });
    expect(await bus.replay('messaging.nobody', 0)).toBe(false);
    expect(await bus.replay(id, head + 1)).toBe(true);
    await eventually(effectCount(id, 5));
  });
});

describe('a declaration', () => {
  it.each([
    [{ id: 'Messaging.Loud' }, 'bad consumer id'],
    [{ batchSize: 0 }, 'batch size'],
    [{ batchSize: 1001 }, 'batch size'],
    [{ batchSize: Number.NaN }, 'batch size'],
  ])('is refused: %j', (more, message) => {
    expect(() => openBus(house, [recorder('messaging.declared', more)])).toThrow(message);
  });

  it('is refused the second time, and when nobody publishes what it hears', async () => {
    expect(() => openBus(house, [recorder('messaging.twice'), recorder('messaging.twice')])).toThrow('declared twice');
    const bus = openBus(house, [recorder('messaging.deaf', { source: 'billing', types: [counted.type] })]);
    await expect(bus.startConsumers()).rejects.toThrow('no log is published by billing');
    await bus.stop();
  });
});
