import { createHmac } from 'node:crypto';
import {
  addSimulated,
  addSimulatedHttp,
  CarriersWorker,
  HTTP_KEY,
  SimulatedCarriers,
  submissions,
} from '../../../../test/support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ReceiptsServer } from '../../../../test/support/receipts-server.js';
import type { SimulatedHttpCarrier } from '../infrastructure/simulator/simulated-http-carrier.js';
import type { SimulatedSmsc } from '../infrastructure/simulator/simulated-smsc.js';
import { until } from '../infrastructure/smpp/test-support/until.js';

const TEXT = 'x'.repeat(150);

let database: TestDatabase;
let simulated: SimulatedCarriers;
let server: ReceiptsServer;
/** The owner of the binds, and a process that only takes requests. */
let worker: CarriersWorker;
let api: CarriersWorker;
let carrier: SimulatedHttpCarrier;
let smsc: SimulatedSmsc;

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  simulated = new SimulatedCarriers();
  server = await ReceiptsServer.start();
  worker = new CarriersWorker(database.url, () => server.base);
  api = new CarriersWorker(database.url, () => server.base);
  server.takes = worker.takeReceipts;
  carrier = await simulated.startHttp('web');
  smsc = await simulated.start('wire');
  await addSimulatedHttp(worker, 'web', carrier, { prefix: '+1555' });
  await addSimulated(worker, 'wire', smsc, { prefix: '+1555', priority: 2 });
  // One of its own: a carrier reports to the address that it was told last, whoever's that is.
  await addSimulatedHttp(worker, 'other', await simulated.startHttp('other'), { prefix: '+44' });
  worker.owner.start();
  worker.receipts.start();
  await worker.bound('web');
  await worker.bound('wire');
});

afterEach(() => {
  server.takes = worker.takeReceipts;
  carrier.put({ outage: 'none', latency_ms: 0, error_rate: 0, throttle_tps: 0, receipt_before_response: false });
  carrier.put({ receipt_duplicate_rate: 0, receipt_loss_rate: 0, receipt_delay_ms: 0 });
});

afterAll(async () => {
  await worker?.receipts.stop();
  await worker?.owner.stop();
  await Promise.all([worker?.close(), api?.close()]);
  await Promise.all([simulated?.stop(), server?.stop()]);
  await database?.stop();
});

/** A request with a receipt, signed as the carrier signs. */
function signed(name: string, body: object, key = HTTP_KEY) {
  const bytes = Buffer.from(JSON.stringify(body));
  const signature = `sha256=${createHmac('sha256', key).update(bytes).digest('hex')}`;
  return {
    carrier: name,
    token: null,
    header: (header: string) => (header === 'x-carrier-signature' ? signature : null),
    isForm: false,
    isSigned: true,
    body: bytes,
  };
}

async function counted(by: CarriersWorker, line: string): Promise<number> {
  const text = await by.metrics.render();
  const found = text.split('\n').find((each) => each.startsWith(`trunkline_carrier_http_receipts_total{${line}} `));
  return Number(found?.split(' ').at(-1) ?? 0);
}

describe('a carrier over HTTP', () => {
  it('takes a message whole, and its receipt is one for every segment', async () => {
    const items = submissions(3, { parts: [`${TEXT}1`, `${TEXT}2`, 'end'] });
    await worker.send(items);
    const stories = await worker.told(items, 'receipt 3 delivered');
    for (const story of stories) {
      expect(story[0]).toBe('answered accepted');
      expect([...story].sort()).toEqual(
        ['answered accepted', ...[1, 2, 3].map((segment) => `receipt ${segment} delivered`)].sort(),
      );
    }
    expect(simulated.given('web', items)).toEqual([1, 1, 1]);
    const texts = simulated.record('web').filter(({ destination }) => items.some(({ to }) => to === destination));
    expect(texts.map(({ text }) => text)).toEqual(items.map(() => `${TEXT}1${TEXT}2end`));
  });

  it('reports a failure with its code', async () => {
    const items = [{ ...submissions(1)[0]!, to: '+15555530005' }];
    await worker.send(items);
    await worker.told(items, 'receipt 1 undelivered');
    const events = await worker.allEvents();
    const receipt = events.find(
      ({ data }) =>
        (data as { key?: string; state?: string }).key === items[0]!.key &&
        (data as { state?: string }).state === 'undelivered',
    );
    expect(receipt?.data).toMatchObject({
      carrier: 'web',
      errorCode: 30005,
      doneDate: expect.stringMatching(/^\d{10}$/),
    });
  });

  it('may report before it answers, and twice', async () => {
    carrier.put({ receipt_before_response: true, latency_ms: 50, receipt_duplicate_rate: 1 });
    const items = submissions(20, { parts: [TEXT, 'end'] });
    await worker.send(items);
    const stories = await worker.told(items, 'receipt 2 delivered');
    for (const story of stories) expect(story).toHaveLength(3);
    await until('no orphan is left', async () => (await worker.lookUp.find('web')).orphanReceipts === 0);
  });

  it('that throttles or fails is slowed down or retried, and loses nothing', async () => {
    carrier.put({ throttle_tps: 20, error_rate: 0.2 });
    const items = submissions(30);
    await worker.send(items);
    const stories = await worker.told(items, 'receipt 1 delivered');
    expect(stories.every((story) => story.filter((line) => line.startsWith('answered')).length === 1)).toBe(true);
    const given = items.map(
      (_, index) => simulated.given('web', items)[index]! + simulated.given('wire', items)[index]!,
    );
    expect(given).toEqual(items.map(() => 1));
    await worker.renew('web');
  });

  it('that is gone is gone around, and is found again', async () => {
    carrier.put({ outage: 'refuse' });
    await until('it is down', async () => (await worker.fares('web')).startsWith('down'));
    const { status } = await worker.lookUp.find('web');
    expect(status).toMatchObject({ error: expect.stringMatching(/^cannot reach 127\.0\.0\.1:\d+: .*ECONNREFUSED/) });
    const items = submissions(10);
    await worker.send(items);
    await worker.told(items, 'receipt 1 delivered');
    expect(simulated.given('wire', items)).toEqual(items.map(() => 1));
    carrier.put({ outage: 'none' });
    await worker.bound('web');
  });

  it.each(['reset', 'blackhole'] as const)(
    'under %s leaves unknown what it was given, and the rest goes around',
    async (outage) => {
      await worker.renew('web');
      const before = submissions(1);
      await worker.send(before);
      await worker.told(before, 'answered accepted');
      carrier.put({ outage });
      const items = submissions(40);
      await worker.send(items);
      await until('all are answered', async () => {
        const stories = await worker.stories(items);
        return stories.every((story) => story.some((line) => line.startsWith('answered')));
      });
      const stories = await worker.stories(items);
      const unknown = stories.filter((story) => story.includes('answered unknown'));
      const elsewhere = stories.filter((story) => story.includes('answered accepted'));
      expect(unknown.length).toBeGreaterThan(0);
      expect(unknown.length + elsewhere.length).toBe(items.length);
      expect(simulated.given('web', items)).toEqual(items.map(() => 0));
      carrier.put({ outage: 'none' });
      await worker.renew('web');
    },
  );
});

describe('receipts over HTTP', () => {
  it('reach the owner of the binds from a process that is not', async () => {
    server.takes = api.takeReceipts;
    const items = submissions(20, { parts: [TEXT, 'end'] });
    await worker.send(items);
    await worker.told(items, 'receipt 2 delivered');
    expect(await counted(api, 'carrier="web",fate="taken"')).toBe(20);
    await until('nothing is left in between', async () => {
      const { rows } = await worker.db.query('select from carriers.receipt_inbox');
      return rows.length === 0;
    });
  });

  it('wait there while nobody owns the binds, also when they came before the answer', async () => {
    server.takes = api.takeReceipts;
    carrier.put({ receipt_before_response: true, latency_ms: 300 });
    await worker.receipts.stop();
    const items = submissions(5);
    await worker.send(items);
    await worker.told(items, 'answered accepted');
    await until('they wait', async () => (await counted(api, 'carrier="web",fate="taken"')) === 25);
    expect((await worker.stories(items)).flat()).not.toContain('receipt 1 delivered');
    const { rows } = await worker.db.query<{ count: number }>(
      'select sum(jsonb_array_length(receipts))::int as count from carriers.receipt_inbox',
    );
    expect(rows[0]!.count).toBe(5);
    worker.receipts.start();
    await worker.told(items, 'receipt 1 delivered');
  });

  it('that are forged are refused and counted, and tell nobody which carriers there are', async () => {
    const [item] = submissions(1);
    carrier.put({ receipt_delay_ms: 60_000 });
    await worker.send([item!]);
    await worker.told([item!], 'answered accepted');
    const { id } = simulated.record('web').at(-1)!;
    const receipt = { id, to: item!.to, status: 'undelivered', error: '30003' };
    const forged = [
      signed('web', receipt, 'not their key at all'),
      signed('wire', receipt),
      signed('nobody', receipt),
      { ...signed('web', receipt), header: () => null },
      { ...signed('web', receipt), isSigned: false },
      { ...signed('web', receipt), body: Buffer.from(JSON.stringify({ ...receipt, id: 'other' })) },
    ];
    const answers = await Promise.all(forged.map((each) => worker.takeReceipts.take(each).catch((error) => error)));
    expect(new Set(answers.map(({ failure, message }) => `${failure}: ${message}`))).toEqual(
      new Set([
        'unauthenticated: Authentication Error - there is no such carrier, or this is not how it proves itself',
      ]),
    );
    expect(await counted(worker, 'carrier="web",fate="forged"')).toBe(4);
    expect((await worker.stories([item!]))[0]).toEqual(['answered accepted']);
  });

  it('of another carrier’s message change nothing, and are kept as that carrier’s orphans', async () => {
    const [item] = submissions(1);
    carrier.put({ receipt_delay_ms: 60_000 });
    await worker.send([item!]);
    await worker.told([item!], 'answered accepted');
    const { id } = simulated.record('web').at(-1)!;
    await worker.takeReceipts.take(signed('other', { id, to: item!.to, status: 'undelivered', error: '30003' }));
    expect((await worker.lookUp.find('other')).orphanReceipts).toBe(1);
    expect((await worker.stories([item!]))[0]).toEqual(['answered accepted']);
  });

  it('may be about an id that no number holds exactly', async () => {
    const id = '1234567890123456789';
    const exact = signed('other', { id: 'ID', status: 'delivered' });
    const body = Buffer.from(exact.body.toString().replace('"ID"', id));
    const signature = `sha256=${createHmac('sha256', HTTP_KEY).update(body).digest('hex')}`;
    await worker.takeReceipts.take({ ...exact, body, header: () => signature });
    const [orphan] = await worker.lookUp.orphanReceipts('other', null, 1);
    expect(orphan).toMatchObject({ messageId: id });
  });

  it('that say something else are refused with the place, or counted where only the state is unknown', async () => {
    for (const [body, field] of [
      [{ status: 'delivered' }, '/id'],
      [{ id: 'x', status: 1.5 }, '/status'],
      [[], '/id'],
    ] as const) {
      await expect(worker.takeReceipts.take(signed('web', body))).rejects.toMatchObject({
        failure: 'invalid_parameter',
        field,
      });
    }
    const broken = signed('web', {});
    const bytes = Buffer.from('{');
    const signature = `sha256=${createHmac('sha256', HTTP_KEY).update(bytes).digest('hex')}`;
    await expect(worker.takeReceipts.take({ ...broken, body: bytes, header: () => signature })).rejects.toMatchObject({
      failure: 'invalid_request',
    });
    await worker.takeReceipts.take(signed('web', { id: 'x', status: 'on its way' }));
    expect(await counted(worker, 'carrier="web",fate="ignored"')).toBe(1);
    expect(await counted(worker, 'carrier="web",fate="unreadable"')).toBe(4);
  });
});
