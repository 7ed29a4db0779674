import { addSimulated, CarriersWorker, SimulatedCarriers, submissions } from '../../../../test/support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { DEFAULT_KNOBS } from '../infrastructure/simulator/knobs.js';
import type { SimulatedSmsc } from '../infrastructure/simulator/simulated-smsc.js';
import { until } from '../infrastructure/smpp/test-support/until.js';

const SENT_AND_DELIVERED = ['answered accepted', 'receipt 1 delivered'];

let database: TestDatabase;
let simulated: SimulatedCarriers;
let worker: CarriersWorker;
let first: SimulatedSmsc;
let second: SimulatedSmsc;

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  simulated = new SimulatedCarriers();
  first = await simulated.start('first');
  second = await simulated.start('second');
  worker = new CarriersWorker(database.url);
  await addSimulated(worker, 'first', first, { priority: 1 });
  await addSimulated(worker, 'second', second, { priority: 2 });
  await addSimulated(worker, 'narrow', await simulated.start('narrow'), { prefix: '+44', window: 2 });
  worker.owner.start();
  await worker.bound('narrow');
});

beforeEach(async () => {
  for (const smsc of [first, second]) smsc.put(DEFAULT_KNOBS);
  for (const name of ['first', 'second']) await worker.renew(name);
});

afterAll(async () => {
  await worker?.owner.stop();
  await worker?.close();
  await simulated?.stop();
  await database?.stop();
});

it('hands each submission to the first carrier in line, once, and hears of its delivery', async () => {
  const items = submissions(60);
  await worker.send(items);
  for (const lines of await worker.told(items, 'receipt 1 delivered')) expect(lines).toEqual(SENT_AND_DELIVERED);
  expect(simulated.given('first', items)).toEqual(items.map(() => 1));
  expect(simulated.given('second', items)).toEqual(items.map(() => 0));
});

it('does not send a key again that it knows', async () => {
  const [item] = submissions(1);
  const offers = [[item!, item!], [item!], [item!]];
  const results = await Promise.all(offers.map((offer) => worker.api.submit(offer)));
  expect(results).toEqual([['taken', 'taken'], ['taken'], ['taken']]);
  await worker.told([item!], 'receipt 1 delivered');
  expect(await worker.api.submit([item!])).toEqual(['taken']);
  expect(simulated.given('first', [item!])).toEqual([1]);
});

it('reports on each segment, also where there are more of them than fit into the window', async () => {
  const items = submissions(4, { parts: ['one ', 'two ', 'three ', 'four ', 'five'] }, '+44');
  await worker.send(items);
  const isReported = (lines: readonly string[]) => lines.length === 6;
  await until('all segments are reported', async () => (await worker.stories(items)).every(isReported));
  for (const lines of await worker.stories(items)) {
    expect(lines[0]).toBe('answered accepted');
    expect(lines.slice(1).sort()).toEqual([1, 2, 3, 4, 5].map((segment) => `receipt ${segment} delivered`));
  }
  expect(simulated.given('narrow', items)).toEqual([5, 5, 5, 5]);
});

it('tells what waits for its queue from what its queue cannot carry', async () => {
  const [routed] = submissions(1, { queue: 'first' }, '+44');
  const many = submissions(200, { queue: 'narrow' }, '+44');
  const results = await worker.api.submit([...many, routed!]);
  expect(results.slice(0, 2)).toEqual(['taken', 'taken']);
  expect(results.slice(-2)).toEqual(['busy', 'stranded']);
});

it('slows down for a carrier that throttles, and gives nothing away for it', async () => {
  first.put({ throttle_tps: 25 });
  const items = submissions(60);
  await worker.send(items);
  for (const lines of await worker.told(items, 'receipt 1 delivered')) expect(lines).toEqual(SENT_AND_DELIVERED);
  expect(first.snapshot().counters.throttled).toBeGreaterThan(0);
  expect(simulated.given('first', items)).toEqual(items.map(() => 1));
  expect(await worker.fares('first')).toBe('bound closed');
});

it('tries a few times what a carrier does not take, and then the next carrier', async () => {
  first.put({ error_rate: 1 });
  const items = submissions(20);
  await worker.send(items);
  await worker.told(items, 'answered accepted');
  expect(simulated.given('first', items)).toEqual(items.map(() => 0));
  expect(simulated.given('second', items)).toEqual(items.map(() => 1));
  await until('the breaker has opened', async () => (await worker.fares('first')) === 'bound open');
});

it('goes by the next carrier while one refuses connections', async () => {
  first.put({ outage: 'refuse' });
  await until('the session is lost', async () => !(await worker.fares('first')).startsWith('bound'));
  const items = submissions(60);
  await worker.send(items);
  for (const lines of await worker.told(items, 'receipt 1 delivered')) expect(lines).toEqual(SENT_AND_DELIVERED);
  expect(simulated.given('second', items)).toEqual(items.map(() => 1));
  first.put({ outage: 'none' });
  await worker.bound('first');
  const later = submissions(1);
  await worker.send(later);
  await worker.told(later, 'answered accepted');
  expect(simulated.given('first', later)).toEqual([1]);
});

it.each(['reset', 'blackhole'] as const)(
  'sends nothing twice in a %s, and says what it does not know',
  async (outage) => {
    first.put({ outage });
    const items = submissions(60);
    await worker.send(items.slice(0, 20));
    await worker.send(items.slice(20));
    await until('all are answered', async () => (await worker.stories(items)).every(isAnswered));
    const stories = await worker.stories(items);
    const twice = simulated
      .given('second', items)
      .map((count, index) => count + simulated.given('first', items)[index]!);
    expect(Math.max(...twice)).toBe(1);
    const unknown = stories.filter((lines) => lines.includes('answered unknown')).length;
    expect(unknown).toBeGreaterThan(0);
    expect(unknown).toBeLessThan(60);
    for (const [index, lines] of stories.entries()) {
      expect(lines.filter((line) => line.startsWith('answered'))).toHaveLength(1);
      if (lines.includes('answered accepted')) expect(twice[index]).toBe(1);
    }
  },
);

it('sends again what may be lost where the account wants that', async () => {
  first.put({ outage: 'blackhole' });
  const items = submissions(20, { unknownOutcome: 'retry' });
  await worker.send(items);
  await worker.told(items, 'answered accepted');
  expect(simulated.given('second', items)).toEqual(items.map(() => 1));
});

it('hands nothing over whose time is up', async () => {
  const items = submissions(3, { validUntil: new Date(0).toISOString() });
  await worker.send(items);
  for (const lines of await worker.told(items, 'answered rejected')) expect(lines).toEqual(['answered rejected']);
  expect(simulated.given('first', items)).toEqual([0, 0, 0]);
});

it.each([
  { from: 'a sender that is longer than any address', to: '+15551234567' },
  { from: '+15005550006', to: '+155512345678901234567' },
  { parts: ['a text that is no GSM-7: 漢字'] },
  { parts: ['0123456789'.repeat(26)] },
])('refuses what SMPP cannot carry: %j', async (over) => {
  const [item] = submissions(1, over);
  await worker.send([item!]);
  expect(await worker.told([item!], 'answered rejected')).toEqual([['answered rejected']]);
});

it('matches receipts that overtake their answers or come twice', async () => {
  first.put({ receipt_before_response: true, receipt_duplicate_rate: 1 });
  const items = submissions(40);
  await worker.send(items);
  for (const lines of await worker.told(items, 'receipt 1 delivered')) expect(lines).toEqual(SENT_AND_DELIVERED);
  await until('all receipts are confirmed', () => first.snapshot().counters.receipts_pending === 0);
  expect(await worker.stories(items)).toEqual(items.map(() => SENT_AND_DELIVERED));
  expect((await worker.lookUp.find('first')).orphanReceipts).toBe(0);
});

it('reports what a carrier could not deliver', async () => {
  const items = submissions(2).map((item, index) => ({ ...item, to: `+155512${index}30003` }));
  await worker.send(items);
  await worker.told(items, 'receipt 1 undelivered');
  const codes = (await worker.allEvents())
    .filter((event) => event.type === 'carriers.receipt-received.v1')
    .map((event) => event.data as { key: string; errorCode: number | null })
    .filter(({ key }) => items.some((item) => item.key === key));
  expect(codes.map(({ errorCode }) => errorCode)).toEqual([30003, 30003]);
});

it('takes nothing more for a carrier that is drained, and still hears of what it has', async () => {
  first.put({ receipt_delay_ms: 300 });
  const items = submissions(10, { queue: 'first' });
  await worker.send(items);
  await worker.told(items, 'answered accepted');
  await worker.changeCarrier.change('first', { state: 'draining' });
  await worker.told(items, 'receipt 1 delivered');
  await worker.bound('first');
  await until('the queue of the carrier goes to the next', async () => (await worker.api.capacity()).first! > 0);
  const later = submissions(10, { queue: 'first' });
  await worker.send(later);
  await worker.told(later, 'receipt 1 delivered');
  expect(simulated.given('second', later)).toEqual(later.map(() => 1));
  await worker.changeCarrier.change('first', { state: 'active' });
  await worker.bound('first');
});

it('has no session with a carrier that is disabled, and says why', async () => {
  await worker.changeCarrier.change('first', { state: 'disabled' });
  await until('it is closed', async () => (await worker.fares('first')) === 'absent');
  expect((await worker.lookUp.find('first')).status).toEqual({ error: 'the carrier is disabled' });
  const items = submissions(5, { queue: 'first' });
  await until('its queue goes elsewhere', async () => (await worker.api.capacity()).first! > 0);
  await worker.send(items);
  await worker.told(items, 'receipt 1 delivered');
  await worker.changeCarrier.change('first', { state: 'active' });
  await worker.bound('first');
});

function isAnswered(lines: readonly string[]): boolean {
  return lines.some((line) => line.startsWith('answered'));
}
