import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '../smpp/test-support/until.js';
import { SimulatedHttpCarrier, type SimulatedHttpCarrierOptions } from './simulated-http-carrier.js';

const KEY = 'their key';

let dir: string;
let carrier: SimulatedHttpCarrier;
let receiver: http.Server;
let callback: string;
/** What the receiver was sent, and what it answers. */
let received: { readonly body: string; readonly isSigned: boolean }[];
let status: number;

beforeAll(async () => {
  receiver = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const mac = createHmac('sha256', KEY).update(body).digest('hex');
    received.push({ body, isSigned: request.headers['x-carrier-signature'] === `sha256=${mac}` });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  callback = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/receipts`;
});

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'http-carrier-'));
  received = [];
  status = 204;
  carrier = await start();
});

afterEach(async () => {
  await carrier.stop();
  rmSync(dir, { recursive: true });
});

afterAll(() => receiver.close());

function start(options: Partial<SimulatedHttpCarrierOptions> = {}): Promise<SimulatedHttpCarrier> {
  return SimulatedHttpCarrier.start({ name: 'sim', dir, password: KEY, ...options });
}

function ask(url: string, body?: object, key = KEY): Promise<Response> {
  return fetch(`http://127.0.0.1:${carrier.port}${url}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(2_000),
  });
}

const message = (over: object = {}) => ({ to: '+15555550100', from: 'Acme', text: 'hello', callback, ...over });
const send = (over: object = {}) => ask('/messages', message(over));
const failed = (asked: Promise<Response>) => asked.then(() => false).catch(() => true);

it('takes messages, keeps a record of them, and reports on them, signed', async () => {
  const { id } = (await (await send()).json()) as { id: string };
  await send({ to: '+15555530007', text: 'x'.repeat(1000) });
  await until('both are reported', () => received.length === 2);
  const [one, other] = received.map(({ body }) => JSON.parse(body));
  expect(one).toEqual({ id, to: '+15555550100', status: 'delivered', done_at: expect.stringMatching(/^\d{10}$/) });
  expect(other).toMatchObject({ to: '+15555530007', status: 'undelivered', error: '30007' });
  expect(received.every(({ isSigned }) => isSigned)).toBe(true);
  expect(carrier.submissions({ limit: 10 })).toMatchObject({
    data: [{ id, destination: '+15555550100', source: 'Acme', text: 'hello' }, { text: 'x'.repeat(1000) }],
    hasMore: false,
  });
  await until('both are confirmed', () => carrier.snapshot().counters.receipts_pending === 0);
  const counters = { submitted: 2, answered: 2, accepted: 2, receipts: 2, receipts_confirmed: 2 };
  expect(carrier.snapshot()).toMatchObject({ type: 'http', counters });
});

it('refuses strangers and what is no message', async () => {
  expect((await ask('/messages', message(), 'guess')).status).toBe(401);
  expect((await ask('/account', undefined, 'guess')).status).toBe(401);
  expect((await ask('/account')).status).toBe(200);
  expect((await ask('/elsewhere')).status).toBe(404);
  for (const body of [
    {},
    message({ to: 7 }),
    message({ text: 'x'.repeat(20_000) }),
    message({ callback: 'ftp://x' }),
  ]) {
    expect((await ask('/messages', body)).status).toBe(400);
  }
  expect((await send({ to: 'né' })).status).toBe(400);
  expect(await failed(ask('/messages', { text: 'x'.repeat(100_000) }))).toBe(true);
  expect(carrier.snapshot().counters.accepted).toBe(0);
});

it('fails, throttles, loses and repeats as its knobs say', async () => {
  carrier.put({ error_rate: 1 });
  expect((await send()).status).toBe(503);
  carrier.put({ error_rate: 0, receipt_loss_rate: 1 });
  expect((await send()).status).toBe(201);
  expect(carrier.snapshot().counters.receipts_lost).toBe(1);
  carrier.put({ receipt_loss_rate: 0, receipt_duplicate_rate: 1 });
  await send();
  await until('it is reported twice', () => received.length === 2);
  carrier.put({ receipt_duplicate_rate: 0, throttle_tps: 1 });
  const statuses = await Promise.all([send(), send(), send()].map(async (each) => (await each).status));
  expect(statuses).toContain(429);
  expect(() => carrier.put({ outage: 'x' })).toThrow('outage');
});

it('may report before it answers', async () => {
  carrier.put({ receipt_before_response: true, latency_ms: 200 });
  let isAnswered = false;
  const answered = send().then(() => {
    isAnswered = true;
  });
  await until('it is reported', () => received.length === 1);
  expect(isAnswered).toBe(false);
  await answered;
});

it('goes out in three ways, and comes back on the same port', async () => {
  const { port } = carrier;
  await send();
  carrier.put({ outage: 'reset' });
  expect(await failed(send())).toBe(true);
  carrier.put({ outage: 'blackhole' });
  const silent = failed(send());
  await until('it is read', () => carrier.snapshot().counters.sessions > 0);
  carrier.put({ outage: 'refuse' });
  expect(await silent).toBe(true);
  await expect(send()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  carrier.put({ outage: 'none' });
  await until('it is back', async () => (await send().catch(() => null))?.status === 201);
  expect(carrier.port).toBe(port);
  expect(carrier.snapshot().counters.accepted).toBe(2);
});

it('owes its receipts after a restart, and sends them where its client is now', async () => {
  await send({ callback: 'http://127.0.0.1:1/gone' });
  await until('it was tried', () => carrier.snapshot().counters.receipts > 0);
  await carrier.stop();
  carrier = await start();
  expect(carrier.snapshot().counters.receipts_pending).toBe(1);
  expect((await ask(`/account?callback=${encodeURIComponent(callback)}`)).status).toBe(200);
  await until('it is reported', () => received.length === 1);
});

it('repeats a receipt that its client could not keep, and gives up one that it will not have', async () => {
  status = 503;
  await send();
  await until('it was tried', () => received.length === 1);
  status = 204;
  await until('it is confirmed', () => carrier.snapshot().counters.receipts_confirmed === 1);
  status = 400;
  await send();
  await until('it is given up', () => carrier.snapshot().counters.receipts_refused === 1);
});
