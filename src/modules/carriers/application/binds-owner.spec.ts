import { randomUUID } from 'node:crypto';
import { addSimulated, CarriersWorker, SimulatedCarriers, submissions } from '../../../../test/support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { newId, parseSid } from '../../../shared/sid.js';
import type { Submission } from '../contract/carriers.api.js';
import { IntentsRepository } from '../infrastructure/intents.repository.js';
import { DEFAULT_KNOBS } from '../infrastructure/simulator/knobs.js';
import type { SimulatedSmsc } from '../infrastructure/simulator/simulated-smsc.js';
import { until } from '../infrastructure/smpp/test-support/until.js';

const SENT_AND_DELIVERED = ['answered accepted', 'receipt 1 delivered'];

let database: TestDatabase;
let simulated: SimulatedCarriers;
let smsc: SimulatedSmsc;
let workers: CarriersWorker[] = [];

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  simulated = new SimulatedCarriers();
  smsc = await simulated.start('only');
  const worker = start();
  await addSimulated(worker, 'only', smsc);
});

beforeEach(() => {
  smsc.put(DEFAULT_KNOBS);
});

afterEach(async () => {
  for (const worker of workers) worker.leases.isCut = false;
  await Promise.all(workers.map((worker) => worker.owner.stop()));
  await Promise.all(workers.map((worker) => worker.close()));
  workers = [];
});

afterAll(async () => {
  await simulated?.stop();
  await database?.stop();
});

/** Another process. */
function start(): CarriersWorker {
  const worker = new CarriersWorker(database.url);
  workers.push(worker);
  return worker;
}

async function leads(worker: CarriersWorker): Promise<void> {
  worker.owner.start();
  await until('it has room', async () => ((await worker.api.capacity()).only ?? 0) > 0);
}

async function openIntents(worker: CarriersWorker): Promise<number> {
  const { rows } = await worker.db.query<{ count: number }>('select count(*)::int as count from carriers.intent');
  return rows[0]!.count;
}

/** What a worker that was killed leaves behind: intents of a lease that nobody renews. */
async function leave(worker: CarriersWorker, items: readonly Submission[]): Promise<void> {
  const lease = (await worker.leases.acquire(randomUUID(), 0))!;
  const intended = items.map((item) => ({
    key: parseSid('SM', item.key)!,
    accountId: parseSid('AC', item.accountSid)!,
    carrier: 'only',
    destination: item.to,
    retryUnknown: item.unknownOutcome === 'retry',
    segments: item.parts.length,
  }));
  await new IntentsRepository(worker.db).intend(lease, newId(), intended);
}

it('settles what a worker left that was killed, by the policy of each account', async () => {
  const worker = start();
  const failing = submissions(120, { unknownOutcome: 'fail' });
  const retried = submissions(3, { unknownOutcome: 'retry' });
  for (let from = 0; from < failing.length; from++) await leave(worker, [failing[from]!]);
  await leave(worker, [...retried, ...submissions(1)]);
  await leads(worker);
  expect(await worker.stories(failing)).toEqual(failing.map(() => ['answered unknown']));
  expect(await worker.stories(retried)).toEqual(retried.map(() => ['returned']));
  expect(await openIntents(worker)).toBe(0);
  expect(simulated.given('only', [...failing, ...retried])).toEqual(Array(123).fill(0));
  await worker.send(retried);
  await worker.told(retried, 'receipt 1 delivered');
  const again = failing.slice(0, 20);
  expect(await worker.api.submit(again)).toEqual(again.map(() => 'taken'));
  expect(simulated.given('only', [...failing, ...retried])).toEqual([...Array(120).fill(0), 1, 1, 1]);
});

it('finishes what is under way when it stops, and leaves nothing open', async () => {
  smsc.put({ latency_ms: 300 });
  const worker = start();
  await leads(worker);
  const items = submissions(100);
  await worker.send(items);
  const stopped = worker.owner.stop();
  expect(await worker.api.submit(submissions(1))).toEqual(['busy']);
  expect(await worker.api.capacity()).toEqual({});
  await stopped;
  const stories = await worker.stories(items);
  const sent = stories.filter((lines) => lines.includes('answered accepted')).length;
  expect(sent).toBeGreaterThanOrEqual(50);
  expect(stories.filter((lines) => lines.includes('returned'))).toHaveLength(100 - sent);
  expect(simulated.given('only', items).filter((count) => count === 1)).toHaveLength(sent);
  expect(await openIntents(worker)).toBe(0);
  const next = start();
  await leads(next);
});

it('leaves the binds to one worker, and gives them to the next when it stops', async () => {
  const [one, other] = [start(), start()];
  await leads(one);
  other.owner.start();
  const items = submissions(10);
  expect(await other.api.submit(items)).toEqual(items.map(() => 'busy'));
  await one.owner.stop();
  await until('the other has room', async () => ((await other.api.capacity()).only ?? 0) > 0);
  await other.send(items);
  await other.told(items, 'receipt 1 delivered');
});

it('pauses while its lease cannot be renewed, and loses no answer by that', async () => {
  smsc.put({ latency_ms: 1_000 });
  const worker = start();
  await leads(worker);
  const items = submissions(20);
  await worker.send(items);
  worker.leases.isCut = true;
  await until('it has no room', async () => Object.keys(await worker.api.capacity()).length === 0);
  expect(await worker.api.submit(submissions(1))).toEqual(['busy']);
  await worker.told(items, 'answered accepted');
  worker.leases.isCut = false;
  await until('it has room', async () => ((await worker.api.capacity()).only ?? 0) > 0);
  for (const lines of await worker.told(items, 'receipt 1 delivered')) expect(lines).toEqual(SENT_AND_DELIVERED);
  expect(worker.log.lines.some((line) => line.includes('another worker'))).toBe(false);
});

it('makes way for another worker, which sends nothing that the first may have sent', async () => {
  smsc.put({ latency_ms: 30_000 });
  const [one, other] = [start(), start()];
  await leads(one);
  const items = submissions(20);
  await one.send(items);
  await until('all have arrived', () => simulated.given('only', items).every((count) => count === 1));
  one.leases.isCut = true;
  other.owner.start();
  smsc.put({ latency_ms: 0 });
  await until('the other has room', async () => ((await other.api.capacity()).only ?? 0) > 0);
  one.leases.isCut = false;
  const more = submissions(20);
  const results = await Promise.all([one.api.submit(more), other.api.submit(more)]);
  expect(results).toEqual([more.map(() => 'busy'), more.map(() => 'taken')]);
  await other.told(more, 'receipt 1 delivered');
  for (const lines of await other.told(items, 'answered unknown')) expect(lines[0]).toBe('answered unknown');
  await until('the first has noticed', () => one.log.lines.some((line) => line.includes('another worker')));
  expect(simulated.given('only', [...items, ...more])).toEqual(Array(40).fill(1));
});

it('can write nothing and send nothing once another has the lease, even if its clock stands still', async () => {
  const [one, other] = [start(), start()];
  await leads(one);
  const binds = one.owner.current!;
  const takenOver = (await other.leases.acquire(randomUUID(), 60_000)) ?? (await takeOver(other));
  const items = submissions(5);
  expect(await binds.submit(items)).toEqual(items.map(() => 'busy'));
  expect(simulated.given('only', items)).toEqual([0, 0, 0, 0, 0]);
  expect(await other.stories(items)).toEqual(items.map(() => []));
  await until('it has noticed', async () => one.owner.current === null);
  await other.leases.release(takenOver);
});

/** Takes the lease as if the time of its holder were over. */
async function takeOver(worker: CarriersWorker) {
  await worker.db.query(`update carriers.lease set expires_at = '-infinity'`);
  return (await worker.leases.acquire(randomUUID(), 60_000))!;
}

it('tells the other processes how the carriers fare, until nobody owns the binds', async () => {
  const [one, other] = [start(), start()];
  await leads(one);
  const shown = async () => other.lookUp.find('only');
  await until('the session is shown', async () => {
    const { status, isStatusCurrent } = await shown();
    return isStatusCurrent && status !== null && 'phase' in status && status.phase === 'bound';
  });
  smsc.put({ outage: 'refuse' });
  await until('the loss of the session is shown', async () => {
    const { status } = await shown();
    return status !== null && 'phase' in status && status.phase !== 'bound' && status.error !== null;
  });
  await one.owner.stop();
  expect((await shown()).isStatusCurrent).toBe(false);
});

it('leaves the other carriers alone where one cannot be opened', async () => {
  const worker = start();
  await worker.addCarrier.add({
    name: 'sealed',
    type: 'smpp',
    host: '127.0.0.1',
    port: smsc.port,
    systemId: 'sealed',
    password: 'secret',
    bind: 'transceiver',
    windowSize: 1,
    tps: null,
  });
  await worker.db.query(`update carriers.carrier set password = 'x' where name = 'sealed'`);
  await leads(worker);
  expect((await worker.lookUp.find('sealed')).status).toEqual({
    error: expect.stringContaining('SECRETS_KEY'),
  });
});

it('counts what it does', async () => {
  const worker = start();
  await leads(worker);
  const items = submissions(3);
  await worker.send(items);
  await worker.told(items, 'answered accepted');
  const text = await worker.metrics.render();
  expect(text).toContain('trunkline_carrier_submissions_total{carrier="only",outcome="accepted"} 3');
  expect(text).toContain('trunkline_carrier_session{carrier="only"} 1');
  expect(text).toContain('trunkline_carrier_breaker{carrier="only"} 0');
  expect(text).toMatch(/^trunkline_orphan_receipts \d+$/m);
});
