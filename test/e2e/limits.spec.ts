import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasRedisServer, RedisServer } from '../../src/platform/queues/redis-server.test-support.js';
import { type Answer, basic, call, FORM, read } from '../support/api.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { makeDataDir, makeReadyDataDir, type Product, startProduct } from '../support/product.js';

const TEST_MS = 180_000;
const PAUSE_MS = 20;

interface Customer {
  readonly sid: string;
  readonly authorization: string;
  readonly number: string;
}

/** A customer of a tier with figures of its own, with money and a number. */
async function open(product: Product, number: string, tier: string, figures: object): Promise<Customer> {
  const { sid, auth_token: token } = await product.operator<{ sid: string; auth_token: string }>('POST', 'accounts', {
    friendly_name: 'A customer',
    tier,
  });
  await product.operator('POST', `accounts/${sid}/credits`, { amount: '100.00', key: 'first', reason: '' });
  await product.operator('POST', `accounts/${sid}/phone-numbers`, { phone_number: number });
  await product.operator('PATCH', `accounts/${sid}`, figures);
  return { sid, authorization: basic(sid, token), number };
}

/** Sends one message; what a busy machine refuses with 503 is sent again. */
async function send(url: string, customer: Customer): Promise<Answer> {
  for (;;) {
    const answer = await call(url, `/2010-04-01/Accounts/${customer.sid}/Messages.json`, {
      headers: { authorization: customer.authorization, 'content-type': FORM },
      body: new URLSearchParams({ To: '+15555550123', From: customer.number, Body: 'x' }).toString(),
    });
    if (answer.status !== 503) return answer;
    await delay(PAUSE_MS);
  }
}

const sendMany = (url: string, customer: Customer, count: number) =>
  Promise.all(Array.from({ length: count }, () => send(url, customer)));
const withStatus = (answers: readonly Answer[], status: number) => answers.filter((answer) => answer.status === status);
const balance = (url: string, customer: Customer) =>
  read<Record<string, number>>(url, '/v1/balance', customer.authorization);

describe('the limits of one process', () => {
  let dir: Awaited<ReturnType<typeof makeDataDir>>;
  let product: Product;

  beforeAll(async () => {
    dir = await makeReadyDataDir();
    product = await startProduct({ dataDir: dir.path });
  }, TEST_MS);

  afterAll(async () => {
    await product?.stop();
    await dir?.remove();
  }, TEST_MS);

  it(
    'refuse what is over a minute’s, and say when to come again',
    async () => {
      const customer = await open(product, '+15550004001', 'free', { messages_per_minute: 5 });
      const first = await send(product.url, customer);
      expect(first.status).toBe(201);
      expect(first.headers.get('x-ratelimit-limit')).toBe('5');
      expect(first.headers.get('x-ratelimit-remaining')).toBe('4');
      const answers = await sendMany(product.url, customer, 10);
      const refused = withStatus(answers, 429);
      expect(refused.length).toBeGreaterThanOrEqual(6);
      expect(JSON.parse(refused[0]!.text)).toMatchObject({ code: 20429, status: 429 });
      const seconds = Number(refused[0]!.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(61);
    },
    TEST_MS,
  );

  it(
    'have no edge at which twice as many pass',
    async () => {
      const max = 10;
      const customer = await open(product, '+15550004002', 'pro', { messages_per_second: max });
      const accepted: { sentAt: number; answeredAt: number }[] = [];
      const endsAt = performance.now() + 3_500;
      while (performance.now() < endsAt) {
        const sentAt = performance.now();
        const { status } = await send(product.url, customer);
        if (status === 201) accepted.push({ sentAt, answeredAt: performance.now() });
      }
      expect(accepted.length).toBeGreaterThan(max);
      accepted.slice(max).forEach(({ answeredAt }, index) => {
        expect(answeredAt - accepted[index]!.sentAt).toBeGreaterThanOrEqual(1_000);
      });
    },
    TEST_MS,
  );

  it(
    'of a day hold when 200 are sent at once, and after a restart',
    async () => {
      const customer = await open(product, '+15550004003', 'free', { messages_per_minute: 100_000 });
      const answers = await sendMany(product.url, customer, 200);
      let accepted = withStatus(answers, 201).length;
      const refused = withStatus(answers, 429);
      expect(accepted + refused.length).toBe(200);
      // What was reserved for a message that came too late is given back, and is there for another one.
      await eventually(
        async () => {
          if (accepted < 100 && (await send(product.url, customer)).status === 201) accepted++;
          return accepted === 100;
        },
        { timeoutMs: 60_000, what: () => `100 are accepted, not ${accepted}` },
      );
      expect((await send(product.url, customer)).status).toBe(429);
      expect(JSON.parse(refused[0]!.text)).toMatchObject({ code: 20429 });
      expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await balance(product.url, customer)).toMatchObject({ messages_today: 100, messages_per_day: 100 });
      await product.stop();
      product = await startProduct({ dataDir: dir.path });
      expect((await send(product.url, customer)).status).toBe(429);
      await product.operator('PATCH', `accounts/${customer.sid}`, { messages_per_day: 101 });
      await eventually(async () => (await balance(product.url, customer)).messages_per_day === 101);
      expect((await send(product.url, customer)).status).toBe(201);
      expect((await send(product.url, customer)).status).toBe(429);
      await product.operator('POST', 'consumers/billing.provision-accounts/replay', { from: 0 });
      await eventually(async () => {
        const { data } = await product.operator<{ data: { id: string; lag: number }[] }>('GET', 'consumers');
        return data.find(({ id }) => id === 'billing.provision-accounts')?.lag === 0;
      });
      expect(await balance(product.url, customer)).toMatchObject({ messages_today: 101, messages_per_day: 101 });
      await eventually(async () => (await balance(product.url, customer)).messages_outstanding === 0, {
        timeoutMs: 60_000,
        what: 'every message is final',
      });
      expect((await product.audited()).violations).toEqual([]);
    },
    TEST_MS,
  );
});

const describeWithRedis = hasRedisServer() ? describe : describe.skip;

describeWithRedis('the limits of two processes with Redis', () => {
  let dir: Awaited<ReturnType<typeof makeDataDir>>;
  let database: TestDatabase;
  let redis: RedisServer;
  let one: Product;
  let other: Product;

  const start = (name: string) =>
    startProduct({
      dataDir: join(dir.path, name),
      env: { DATABASE_URL: database.url, REDIS_URL: redis.url },
      args: [],
    });
  const isShared = async ({ url }: Product) =>
    (await call(url, '/metrics')).text.includes('\ntrunkline_limits_shared 1');

  beforeAll(async () => {
    dir = await makeDataDir();
    [database, redis] = await Promise.all([startTestDatabase(), RedisServer.start()]);
    [one, other] = await Promise.all([start('one'), start('other')]);
    await one.operator('POST', 'rates', { prefix: '', price: '0.01' });
    // Nobody listens there: what is accepted waits.
    await one.operator('POST', 'carriers', {
      name: 'field',
      type: 'smpp',
      host: '127.0.0.1',
      port: 1,
      system_id: 'field',
      password: 'secret01',
      bind: 'transceiver',
      window: 10,
    });
    await one.operator('POST', 'routes', { prefix: '+1', carrier: 'field', priority: 10, weight: 1 });
  }, TEST_MS);

  afterAll(async () => {
    await Promise.all([one?.stop(), other?.stop()]);
    await redis?.stop();
    await database?.stop();
    await dir?.remove();
  }, TEST_MS);

  it(
    'are one, and each one’s own while Redis is gone',
    async () => {
      const customer = await open(one, '+15550004004', 'pro', { messages_per_minute: 60 });
      for (const product of [one, other]) await eventually(() => isShared(product));
      // The change of the account reaches the other process by its log.
      await eventually(async () => (await send(other.url, customer)).headers.get('x-ratelimit-limit') === '60');
      const asked = await Promise.all([sendMany(one.url, customer, 60), sendMany(other.url, customer, 60)]);
      const passed = withStatus(asked.flat(), 201).length;
      expect(passed).toBeGreaterThan(0);
      expect(passed).toBeLessThanOrEqual(59);
      for (const product of [one, other]) expect((await send(product.url, customer)).status).toBe(429);

      const many = await open(one, '+15550004005', 'enterprise', { messages_per_minute: null });
      const during = sendMany(one.url, many, 100);
      await redis.kill();
      for (const answer of await during) expect(answer.status).toBe(201);
      for (const answer of await sendMany(other.url, many, 20)) expect(answer.status).toBe(201);
      await eventually(async () => !(await isShared(one)) && !(await isShared(other)));
      expect(one.output()).toContain('each process counts the limits by itself: Redis does not answer');
      await redis.resume();
      for (const product of [one, other]) await eventually(() => isShared(product));
      expect((await send(one.url, many)).status).toBe(201);
    },
    TEST_MS,
  );
});
