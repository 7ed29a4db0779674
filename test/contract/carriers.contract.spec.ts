import { inboundEvent } from '../../src/modules/carriers/application/inbound-events.js';
import { CarriersApi, carriersContract } from '../../src/modules/carriers/contract/carriers.api.js';
import { idTimeMs, newId, parseSid, sidOf } from '../../src/shared/sid.js';
import { addSimulated, CarriersWorker, SimulatedCarriers, submissions } from '../support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { WAYS } from './over-the-wire.js';

const HOUR_MS = 3_600_000;
const NONE = { count: 0, hash: '0' };

let database: TestDatabase;
let simulated: SimulatedCarriers;
let worker: CarriersWorker;

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  simulated = new SimulatedCarriers();
  worker = new CarriersWorker(database.url);
  await addSimulated(worker, 'only', await simulated.start('only'), { prefix: '+1' });
  worker.owner.start();
  await worker.bound('only');
});

afterAll(async () => {
  await worker?.owner.stop();
  await worker?.close();
  await simulated?.stop();
  await database?.stop();
});

describe.each(WAYS)('CarriersApi %s', (_, reach) => {
  let carriers: CarriersApi;

  beforeAll(() => {
    carriers = reach<CarriersApi>(worker.api, carriersContract);
  });

  it('names the queue of a destination', async () => {
    expect(await carriers.route({ to: '+15551234567' })).toEqual({ queue: 'only' });
    expect(await carriers.route({ to: '+442079460000' })).toBeNull();
  });

  it('tells how much it takes', async () => {
    expect(await carriers.capacity()).toEqual({ only: expect.any(Number) });
  });

  it('sends each submission once, however often it is given', async () => {
    const items = submissions(20);
    expect(await carriers.submit(items)).toEqual(items.map(() => 'taken'));
    await worker.told(items, 'receipt 1 delivered');
    expect(await carriers.submit(items)).toEqual(items.map(() => 'taken'));
    expect(simulated.given('only', items)).toEqual(items.map(() => 1));
  });

  it('keeps its hands off what has no route', async () => {
    const items = submissions(2, {}, '+44');
    expect(await carriers.submit(items)).toEqual(['stranded', 'stranded']);
    expect(await carriers.withdraw(items.map(({ key }) => key))).toEqual([true, true]);
  });

  it('refuses what is no submission', async () => {
    for (const over of [{ key: 'SM1' }, { accountSid: 'nonsense' }]) {
      await expect(carriers.submit(submissions(1, over))).rejects.toMatchObject({ failure: 'invalid_parameter' });
    }
    expect(await carriers.submit([])).toEqual([]);
  });

  it('takes back what no carrier has, for good, and nothing else', async () => {
    const [sent, taken, withdrawn] = submissions(3);
    await carriers.submit([sent!]);
    await worker.told([sent!], 'receipt 1 delivered');
    expect(await carriers.submit([taken!])).toEqual(['taken']);
    const keys = [sent!.key, taken!.key, withdrawn!.key, sidOf('SM', newId()), 'nonsense'];
    expect(await carriers.withdraw(keys)).toEqual([false, false, true, true, false]);
    expect(await carriers.withdraw(keys)).toEqual([false, false, true, true, false]);
    expect(await carriers.submit([withdrawn!, taken!])).toEqual(['taken', 'taken']);
    await worker.told([taken!], 'receipt 1 delivered');
    expect(simulated.given('only', [sent!, taken!, withdrawn!])).toEqual([1, 1, 0]);
    expect(await carriers.withdraw([])).toEqual([]);
  });

  it('sums up and lists the answers by the instants in their keys', async () => {
    const items = submissions(5);
    await carriers.submit(items);
    await worker.told(items, 'answered accepted');
    const at = idTimeMs(parseSid('SM', items[0]!.key)!);
    const from = Math.floor(at / HOUR_MS) * HOUR_MS;
    const range = { from: new Date(from).toISOString(), to: new Date(from + HOUR_MS).toISOString() };
    const rows = await carriers.listSubmissions({ ...range, after: null, limit: 1000 });
    expect(rows.map(({ key }) => key)).toEqual([...rows.map(({ key }) => key)].sort());
    expect(rows.find(({ key }) => key === items[2]!.key)).toEqual({
      key: items[2]!.key,
      accountSid: items[2]!.accountSid,
      carrier: 'only',
      outcome: 'accepted',
      answeredAt: expect.any(String),
    });
    const [line, ...more] = await carriers.digest({ ...range, bucketMs: HOUR_MS });
    expect(more).toEqual([]);
    expect(line).toEqual({
      from: range.from,
      accepted: { count: rows.length, hash: expect.stringMatching(/^-?\d+$/) },
      rejected: NONE,
      unknown: NONE,
    });
    const rest = await carriers.listSubmissions({ ...range, after: rows.at(-2)!.key, limit: 10 });
    expect(rest).toEqual(rows.slice(-1));
    await expect(carriers.listSubmissions({ ...range, after: 'nonsense', limit: 1 })).rejects.toMatchObject({
      failure: 'invalid_parameter',
    });
  });

  it('hands over what came in, with an event for each', async () => {
    const message = {
      id: newId(),
      carrier: 'only',
      from: '+15551234567',
      to: '+15005550006',
      text: 'Hëllo €',
      encoding: 'GSM-7',
      segments: 2,
      missing: 0,
      fingerprint: null,
      session: null,
      receivedAtMs: Date.now(),
    } as const;
    const { lease } = worker.owner.current!;
    const assembled = { messages: [message], newParts: [], joined: [], repeated: [] };
    for (const _ of ['once', 'again']) await worker.inbound.record(lease, assembled, [inboundEvent(message)]);
    const { id: inboundId, from, to, text, encoding, segments } = message;
    const receivedAt = new Date(message.receivedAtMs).toISOString();
    const content = { inboundId, from, to, text, encoding, segments, receivedAt };
    expect(await carriers.inboundContents([newId(), inboundId, 'nonsense'])).toEqual([content]);
    expect(await carriers.inboundContents([])).toEqual([]);
    expect(await carriers.redactInbound([newId(), inboundId, 'nonsense'])).toBeUndefined();
    expect(await carriers.inboundContents([inboundId])).toEqual([{ ...content, text: '' }]);
    const told = (await worker.allEvents()).filter(({ streamId }) => streamId === inboundId);
    expect(told.map(({ type, data }) => [type, data])).toEqual([
      ['carriers.inbound-received.v1', { inboundId, carrier: 'only', from, to, segments, receivedAt }],
    ]);
  });
});
