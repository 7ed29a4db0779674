import { jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import { Child } from './child-process.test-support.js';
import {
  appendAll,
  disordered,
  effectsOf,
  MODULE,
  makeEffectTables,
  openBus,
  openHouse,
  Streams,
  type TestHouse,
} from './event-log.test-support.js';
import {
  APPEND_STEPS,
  FaultPoint,
  PAGE_STEPS,
  RETRY_STEPS,
  type Step,
  steppedConsumer,
} from './faults.test-support.js';

// Servers and processes are slow on a busy machine.
jest.setTimeout(120_000);

const EVENTS = 60;
const TRANSACTIONS = 10;

let database: TestDatabase;
let house: TestHouse;
let child: Child | undefined;
let names = 0;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  await makeEffectTables(database.url);
  house = openHouse(database.url);
});

afterEach(async () => {
  await child?.kill();
  child = undefined;
});

afterAll(async () => {
  await house?.db.close();
  await database?.stop();
});

async function declaredConsumer(): Promise<string> {
  const id = `${MODULE}.fragile-${'abcdefghijklmnopqrstuvwxyz'[names++]}`;
  await house.store.declare(id, MODULE);
  await house.db.query(`update ${MODULE}.consumer set position = $2 where id = $1`, [id, await house.log.head()]);
  return id;
}

/** Lets a child consume until it kills itself at the step; another process then goes on. */
async function crashAndGoOn(step: Step, nth: number, flaky: boolean): Promise<string> {
  const id = await declaredConsumer();
  await appendAll(house, new Streams(6).next(EVENTS));
  const fault = { step, nth, signal: 'SIGKILL' } as const;
  child = new Child({ url: database.url, task: { role: 'consumer', ids: [id], flaky }, fault });
  expect(await child.end()).toBe('SIGKILL');
  const crashedAt = (await effectsOf(house.db, id)).length;
  expect(crashedAt).toBeLessThan(EVENTS);

  const bus = openBus(house, [steppedConsumer(id, house.db, new FaultPoint(null), { flaky })]);
  try {
    await bus.startConsumers();
    await eventually(async () => {
      await house.db.query(`update ${MODULE}.parked_event set next_attempt_at = '-infinity'`);
      const { position, waiting, parked } = (await house.store.status()).find((consumer) => consumer.id === id)!;
      return position === (await house.log.head()) && waiting === 0 && parked === 0;
    });
  } finally {
    await bus.stop();
  }
  return id;
}

async function expectEachOnce(id: string): Promise<void> {
  const effects = await effectsOf(house.db, id);
  expect(effects).toHaveLength(EVENTS);
  expect(disordered(effects)).toEqual([]);
  const prepared = await house.db.query(`select from ${MODULE}.keyed_effect where consumer = $1`, [`${id}/prepared`]);
  expect(prepared.rowCount).toBe(EVENTS);
}

describe('a consumer that is killed', () => {
  it.each(PAGE_STEPS)('after "%s" of its third page leaves each effect once and in order', async (step) => {
    await expectEachOnce(await crashAndGoOn(step, 3, false));
  });

  it.each(RETRY_STEPS)('after "%s" of an event that failed leaves each effect once and in order', async (step) => {
    await expectEachOnce(await crashAndGoOn(step, 2, true));
  });
});

describe('an appender that is killed', () => {
  it.each(APPEND_STEPS)('after "%s" of its fifth transaction leaves all of it or nothing, and no gap', async (step) => {
    const start = await house.log.head();
    const fault = { step, nth: 5, signal: 'SIGKILL' } as const;
    child = new Child({ url: database.url, task: { role: 'appender', id: step, transactions: TRANSACTIONS }, fault });
    expect(await child.end()).toBe('SIGKILL');
    const reported = child.lines().map((line) => line.replace('committed ', ''));
    expect(reported).toHaveLength(4);
    // Appends of others wait until the server has let the dead one's locks go, and no longer.
    await appendAll(house, new Streams(1).next(3));

    const events = await house.log.read(start);
    expect(events.map((event) => event.position)).toEqual(events.map((_, index) => start + 1 + index));
    expect(await house.log.head()).toBe(events.at(-1)!.position);
    const rows = await house.db.query<{ stream_id: string }>(
      `select stream_id from ${MODULE}.keyed_effect where consumer = $1`,
      [step],
    );
    const written = rows.rows.map((row) => row.stream_id);
    const appended = events.slice(0, -3).map((event) => event.streamId);
    expect(new Set(appended)).toEqual(new Set(written));
    expect(appended).toHaveLength(3 * written.length);
    expect(written).toEqual(expect.arrayContaining(reported));
  });
});
