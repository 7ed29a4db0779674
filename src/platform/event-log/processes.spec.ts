import { jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import { newId } from '../../shared/sid.js';
import { Child } from './child-process.test-support.js';
import {
  appendAll,
  disordered,
  effectsOf,
  MODULE,
  makeEffectTables,
  openHouse,
  Streams,
  type TestHouse,
} from './event-log.test-support.js';
import type { Step } from './faults.test-support.js';

// Servers and processes are slow on a busy machine.
jest.setTimeout(120_000);

let database: TestDatabase;
let house: TestHouse;
let children: Child[];
let names = 0;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  await makeEffectTables(database.url);
  house = openHouse(database.url);
});

beforeEach(() => {
  children = [];
});

afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()));
});

afterAll(async () => {
  await house?.db.close();
  await database?.stop();
});

async function declaredConsumer(): Promise<string> {
  const id = `${MODULE}.shared-${'abcdefghijklmnopqrstuvwxyz'[names++]}`;
  await house.store.declare(id, MODULE);
  await house.db.query(`update ${MODULE}.consumer set position = $2 where id = $1`, [id, await house.log.head()]);
  return id;
}

async function startChild(ids: readonly string[], step?: Step, keyed = false): Promise<Child> {
  const fault = step ? ({ step, nth: 2, signal: 'SIGSTOP' } as const) : null;
  const child = new Child({ url: database.url, task: { role: 'consumer', ids, keyed }, fault });
  children.push(child);
  await eventually(() => child.lines().includes('ready'));
  return child;
}

const effectCount = async (id: string) => (await effectsOf(house.db, id)).length;
const hasOwner = async (id: string) => (await house.store.status()).some((one) => one.id === id && one.owner !== null);

describe('two processes with the same consumers', () => {
  it('double and lose nothing, also when one is killed and another one comes', async () => {
    const ids = [await declaredConsumer(), await declaredConsumer(), await declaredConsumer()];
    const first = await startChild(ids);
    await startChild(ids);
    const streams = [1, 2, 3].map(() => new Streams(7));
    await Promise.all(streams.map((own) => appendAll(house, own.next(210), 21)));
    await eventually(async () => (await effectCount(ids[0]!)) > 100);
    await first.kill();
    await startChild(ids);
    await Promise.all(streams.map((own) => appendAll(house, own.next(210), 21)));
    for (const id of ids) {
      await eventually(async () => (await effectCount(id)) >= 1260);
      expect(disordered(await effectsOf(house.db, id))).toEqual([]);
      expect(await effectCount(id)).toBe(1260);
    }
  });

  describe('keep an effect single when one is stopped past its lease, and continued', () => {
    const cases = (['prepared', 'applied', 'advanced', 'commit-sent'] as const).map((step) => ({ step, id: '' }));

    /** All at once, each with a consumer of its own, so that their leases run out together. */
    beforeAll(async () => {
      children = [];
      for (const one of cases) one.id = await declaredConsumer();
      const stopped = await Promise.all(cases.map(({ id, step }) => startChild([id], step)));
      await eventually(async () => (await Promise.all(cases.map(({ id }) => hasOwner(id)))).every(Boolean));
      const other = await startChild(cases.map(({ id }) => id));
      const streams = new Streams(5);
      const allHave = (count: number) =>
        eventually(async () => {
          const counts = await Promise.all(cases.map(({ id }) => effectCount(id)));
          return counts.every((each) => each >= count);
        });
      await appendAll(house, streams.next(100));
      for (const one of stopped) await eventually(() => one.isStopped());
      await allHave(100);
      for (const one of stopped) one.signal('SIGCONT');
      await appendAll(house, streams.next(50));
      await allHave(150);
      // Those that were stopped are still good for taking over.
      await other.kill();
      await appendAll(house, streams.next(50));
      await allHave(200);
      await Promise.all(stopped.map((one) => one.kill()));
    });

    it.each(cases)('after "$step"', async ({ id }) => {
      const effects = await effectsOf(house.db, id);
      expect(disordered(effects)).toEqual([]);
      expect(effects).toHaveLength(200);
    });
  });

  it('go on when two are stopped for good: one holds what its open transaction has locked, one the head of the log', async () => {
    const id = await declaredConsumer();
    const consumer = await startChild([id], 'applied', true);
    await eventually(() => hasOwner(id));
    await startChild([id], undefined, true);
    await appendAll(house, new Streams(5).next(100));
    await eventually(() => consumer.isStopped());

    const fault = { step: 'appended', nth: 2, signal: 'SIGSTOP' } as const;
    const task = { role: 'appender', id: newId(), transactions: 3 } as const;
    const appender = new Child({ url: database.url, task, fault });
    children.push(appender);
    await eventually(() => appender.isStopped());
    const start = await house.log.head();
    await appendAll(house, new Streams(1).next(3));
    const events = await house.log.read(start);
    expect(events.map((event) => event.position)).toEqual([start + 1, start + 2, start + 3]);

    await eventually(async () => {
      const { rowCount } = await house.db.query(`select from ${MODULE}.keyed_effect where consumer = $1`, [id]);
      return rowCount! >= 100;
    });
  });
});
