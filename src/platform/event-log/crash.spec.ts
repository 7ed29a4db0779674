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
const children: Child[] = [];
let names = 0;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  await makeEffectTables(database.url);
  house = openHouse(database.url);
});

afterAll(async () => {
  await Promise.all(children.map((one) => one.kill()));
  await house?.db.close();
  await database?.stop();
});

async function declaredConsumer(): Promise<string> {
  const id = `${MODULE}.fragile-${'abcdefghijklmnopqrstuvwxyz'[names++]}`;
  await house.store.declare(id, MODULE);
  await house.db.query(`update ${MODULE}.consumer set position = $2 where id = $1`, [id, await house.log.head()]);
  return id;
}

/** Lets a child consume until it kills itself at the step. */
async function crash(id: string, step: Step, nth: number, flaky: boolean): Promise<void> {
  const fault = { step, nth, signal: 'SIGKILL' } as const;
  const one = new Child({ url: database.url, task: { role: 'consumer', ids: [id], flaky }, fault });
  children.push(one);
  expect(await one.end()).toBe('SIGKILL');
  expect((await effectsOf(house.db, id)).length).toBeLessThan(EVENTS);
}

async function expectEachOnce(id: string): Promise<void> {
  const effects = await effectsOf(house.db, id);
  expect(effects).toHaveLength(EVENTS);
  expect(disordered(effects)).toEqual([]);
  const prepared = await house.db.query(`select from ${MODULE}.keyed_effect where consumer = $1`, [`${id}/prepared`]);
  expect(prepared.rowCount).toBe(EVENTS);
}

describe('a consumer that is killed', () => {
  const cases = [
    ...PAGE_STEPS.map((step) => ({ step, nth: 3, flaky: false, id: '' })),
    ...RETRY_STEPS.map((step) => ({ step, nth: 2, flaky: true, id: '' })),
  ];

  /** All of them at once, each with a consumer of its own, so that their leases run out together. */
  beforeAll(async () => {
    for (const one of cases) one.id = await declaredConsumer();
    await appendAll(house, new Streams(6).next(EVENTS));
    await Promise.all(cases.map(({ id, step, nth, flaky }) => crash(id, step, nth, flaky)));
    const none = new FaultPoint(null);
    const bus = openBus(
      house,
      cases.map(({ id, flaky }) => steppedConsumer(id, house.db, none, { flaky })),
    );
    try {
      await bus.startConsumers();
      await eventually(areThrough, { timeoutMs: 60_000 });
    } finally {
      await bus.stop();
    }
  });

  async function areThrough(): Promise<boolean> {
    await house.db.query(`update ${MODULE}.parked_event set next_attempt_at = '-infinity'`);
    const [head, consumers] = await Promise.all([house.log.head(), house.store.status()]);
    return cases.every(({ id }) => {
      const { position, waiting, parked } = consumers.find((consumer) => consumer.id === id)!;
      return position === head && waiting === 0 && parked === 0;
    });
  }

  it.each(cases.filter(({ flaky }) => !flaky))(
    'after "$step" of its third page leaves each effect once and in order',
    ({ id }) => expectEachOnce(id),
  );

  it.each(cases.filter(({ flaky }) => flaky))(
    'after "$step" of an event that failed leaves each effect once and in order',
    ({ id }) => expectEachOnce(id),
  );
});

describe('an appender that is killed', () => {
  it.each(APPEND_STEPS)('after "%s" of its fifth transaction leaves all of it or nothing, and no gap', async (step) => {
    const start = await house.log.head();
    const fault = { step, nth: 5, signal: 'SIGKILL' } as const;
    const child = new Child({
      url: database.url,
      task: { role: 'appender', id: step, transactions: TRANSACTIONS },
      fault,
    });
    children.push(child);
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
