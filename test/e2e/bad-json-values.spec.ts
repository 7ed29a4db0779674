import { call, JSON_TYPE } from '../support/api.js';
import { UNSTORABLE } from '../support/hostile.js';
import { JsonBench, OPERATOR_LISTS } from '../support/json-bench.js';
import { DEMO_SID } from '../support/product.js';

const START_MS = 90_000;
const ABSENT = 'f'.repeat(32);
const ABSENT_ID = 'ffffffff-ffff-7fff-bfff-ffffffffffff';

let bench: JsonBench;

beforeAll(async () => {
  bench = await JsonBench.start();
}, START_MS);

afterAll(async () => {
  await bench?.stop();
}, START_MS);

const ask: JsonBench['ask'] = (...request) => bench.ask(...request);
const write: JsonBench['write'] = (...request) => bench.write(...request);
const expectProblem: JsonBench['expectProblem'] = (...expected) => bench.expectProblem(...expected);

describe('values', () => {
  const credit = { amount: '1.00', key: 'k', reason: 'r' };
  const CREDITS = `/v1/operator/accounts/${DEMO_SID}/credits`;
  const ACCOUNT = `/v1/operator/accounts/${DEMO_SID}`;
  const carrier = { name: 'new', type: 'smpp', host: '127.0.0.1', port: 2775, system_id: 'x', password: 'x' };
  it.each<[method: string, path: string, body: Record<string, unknown>, field: string]>([
    ...['-1', '0', '', 'abc', 'NaN', 'Infinity', '1e3', '0x10', '1,00', '１', '0.0000001', '999999999999999999999'].map(
      (amount): [string, string, Record<string, unknown>, string] => ['POST', CREDITS, { ...credit, amount }, 'amount'],
    ),
    ['POST', CREDITS, { ...credit, key: '' }, 'key'],
    ['POST', CREDITS, { amount: '1.00' }, 'key'],
    ['POST', '/v1/operator/accounts', { friendly_name: '  ', tier: 'pro' }, 'friendly_name'],
    ['POST', '/v1/operator/accounts', { friendly_name: 'x', tier: 'gold' }, 'tier'],
    ['POST', '/v1/operator/accounts', { tier: 'pro' }, 'friendly_name'],
    ['PATCH', ACCOUNT, { status: 'provisioning' }, 'status'],
    ['PATCH', ACCOUNT, { messages_per_minute: 0 }, 'messages_per_minute'],
    ['PATCH', ACCOUNT, { messages_per_day: 1.5 }, 'messages_per_day'],
    ['PATCH', ACCOUNT, { messages_per_day: 1e12 }, 'messages_per_day'],
    ['PATCH', ACCOUNT, { unknown_outcome: 'guess' }, 'unknown_outcome'],
    ['POST', `${ACCOUNT}/phone-numbers`, { phone_number: 'hello' }, 'phone_number'],
    ['POST', `${ACCOUNT}/phone-numbers`, { phone_number: '＋１５５５００００' }, 'phone_number'],
    ['POST', '/v1/operator/rates', { prefix: '1', price: '0.01' }, 'prefix'],
    ['POST', '/v1/operator/rates', { prefix: '+0', price: '0.01' }, 'prefix'],
    ['POST', '/v1/operator/rates', { prefix: '+1', price: '-0.01' }, 'price'],
    ['POST', '/v1/operator/rates', { prefix: '+1', price: '1001' }, 'price'],
    ['POST', '/v1/operator/carriers', { ...carrier, name: '../x' }, 'name'],
    ['POST', '/v1/operator/carriers', { ...carrier, type: 'pigeon' }, 'type'],
    ['POST', '/v1/operator/carriers', { ...carrier, host: 'a b' }, 'host'],
    ['POST', '/v1/operator/carriers', { ...carrier, port: 0 }, 'port'],
    ['POST', '/v1/operator/carriers', { ...carrier, port: 70_000 }, 'port'],
    ['POST', '/v1/operator/carriers', { ...carrier, window: 0 }, 'window'],
    ['POST', '/v1/operator/carriers', { ...carrier, tps: -1 }, 'tps'],
    ['POST', '/v1/operator/carriers', { ...carrier, bind: 'receiver' }, 'bind'],
    ['POST', '/v1/operator/routes', { prefix: 'x', carrier: 'sim-smpp-1' }, 'prefix'],
    ['POST', '/v1/operator/routes', { prefix: '+49', carrier: 'sim-smpp-1', weight: 0 }, 'weight'],
    ['PUT', '/v1/operator/simulator/carriers/sim-smpp-2', { outage: 'some' }, 'outage'],
    ['PUT', '/v1/operator/simulator/carriers/sim-smpp-2', { error_rate: 1.1 }, 'error_rate'],
    ['PUT', '/v1/operator/simulator/carriers/sim-smpp-2', { latency_ms: -1 }, 'latency_ms'],
    ['POST', '/v1/messages/preview', { to: 'hello', body: 'x' }, 'to'],
    ['POST', '/v1/messages/preview', { to: '+15555550100', body: 'x'.repeat(1601) }, 'body'],
    ['POST', '/v1/messages/preview', { to: '+15555550100', body: '' }, 'body'],
    ['POST', '/v1/messages/preview', { body: 'x' }, 'to'],
    ['POST', '/v1/webhook-deliveries/replay', { message_sid: 'SM1' }, 'message_sid'],
    ['POST', '/v1/webhook-deliveries/replay', { created_after: 'yesterday' }, 'created_after'],
  ])('%s %s %j', async (method, path, body, field) => {
    const answer = await write(method, path, JSON.stringify(body));
    expect(answer.status).toBe(400);
    expectProblem(answer, 400, (JSON.parse(answer.text) as { code: number }).code, field);
  });

  it.each([
    ['/v1/operator/routes', { prefix: '+49', carrier: 'nobody' }, 'carrier'],
    ['/v1/operator/rates', { prefix: '+49', price: '0.05', account_sid: `AC${ABSENT}` }, 'account_sid'],
    [
      '/v1/operator/accounts',
      { friendly_name: 'x', tier: 'pro', owner_account_sid: `AC${ABSENT}` },
      'owner_account_sid',
    ],
  ])('%s that names what is not there', async (path, body, field) => {
    expectProblem(await write('POST', path, JSON.stringify(body)), 404, 20404, field);
  });

  it('names every field at fault', async () => {
    const answer = await write('POST', '/v1/operator/accounts', JSON.stringify({ friendly_name: 7, tier: 'gold' }));
    expectProblem(answer, 400, 20001, 'friendly_name');
    expectProblem(answer, 400, 20001, 'tier');
  });

  it.each([
    ['an account', 'PATCH', ACCOUNT],
    ['a carrier', 'PATCH', '/v1/operator/carriers/sim-smpp-2'],
  ])('changing nothing of %s', async (_what, method, path) => {
    expectProblem(await write(method, path, '{}'), 400, 20001);
  });
});

describe('lists', () => {
  const READS = [
    ...OPERATOR_LISTS.map((path) => `/v1/operator/${path}`),
    `/v1/operator/accounts/${DEMO_SID}/phone-numbers`,
    '/v1/operator/dead-letters',
    '/v1/operator/carriers/sim-smpp-1/orphan-receipts',
    '/v1/operator/simulator/carriers/sim-smpp-1/submissions',
    '/v1/webhook-deliveries',
  ];
  const forged = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url');
  const CURSORS = ['', '!', '%00', 'AAAA', forged({}), forged([]), forged([null]), forged([[]]), forged(['\0', 1, 2])];
  const ODD = [
    forged([7]),
    forged([-1]),
    forged([1e300]),
    forged(["' or 1=1"]),
    forged(['x', 1e300]),
    forged(['x', -1]),
  ];

  describe.each(READS)('%s', (path) => {
    it('refuses limits that are none', async () => {
      for (const limit of ['0', '-1', '1.5', 'x', '', '1001', '9'.repeat(30), '%EF%BC%95', '1&limit=2']) {
        expectProblem(await ask(`${path}?limit=${limit}`), 400, 20001, 'limit');
      }
    });

    it('refuses cursors that no page gave', async () => {
      for (const cursor of [...CURSORS, 'A'.repeat(3_000)]) {
        expectProblem(await ask(`${path}?cursor=${cursor}`), 400, 20001, 'cursor');
      }
    });

    it('refuses, or reads as a place in the list, what only looks like a cursor of its own', async () => {
      for (const cursor of ODD) {
        const answer = await ask(`${path}?cursor=${cursor}`);
        if (answer.status === 200) expect(JSON.parse(answer.text)).toMatchObject({ data: expect.any(Array) });
        else expectProblem(answer, 400, 20001, 'cursor');
      }
    });

    it.each(UNSTORABLE)('refuses %s', async (_what, encoded) => {
      for (const name of ['limit', 'cursor', 'x'])
        expectProblem(await ask(`${path}?${name}=${encoded}`), 400, 20001, name);
    });
  });
});

describe('what is not there', () => {
  it.each<[method: string, path: string, body: string | null]>([
    ['GET', `/v1/operator/accounts/AC${ABSENT}`, null],
    ['GET', '/v1/operator/accounts/AC1', null],
    ['GET', '/v1/operator/accounts/__proto__', null],
    ['PATCH', `/v1/operator/accounts/AC${ABSENT}`, '{"tier":"pro"}'],
    ['POST', `/v1/operator/accounts/AC${ABSENT}/credits`, '{"amount":"1","key":"k"}'],
    ['GET', `/v1/operator/accounts/AC${ABSENT}/credits`, null],
    ['POST', `/v1/operator/accounts/AC${ABSENT}/phone-numbers`, '{"phone_number":"+15550004444"}'],
    ['POST', `/v1/operator/accounts/AC${ABSENT}/keys`, '{}'],
    ['DELETE', `/v1/operator/accounts/${DEMO_SID}/keys/SK${ABSENT}`, null],
    ['DELETE', `/v1/operator/accounts/${DEMO_SID}/keys/x`, null],
    ['POST', `/v1/operator/accounts/AC${ABSENT}/auth-token`, null],
    ['DELETE', `/v1/operator/rates/${ABSENT_ID}`, null],
    ['DELETE', '/v1/operator/rates/x', null],
    ['DELETE', `/v1/operator/routes/${ABSENT_ID}`, null],
    ['DELETE', '/v1/operator/routes/x', null],
    ['GET', '/v1/operator/carriers/nobody', null],
    ['PATCH', '/v1/operator/carriers/nobody', '{"port":1}'],
    ['POST', '/v1/operator/carriers/nobody/drain', null],
    ['GET', '/v1/operator/carriers/nobody/orphan-receipts', null],
    ['GET', '/v1/operator/simulator/carriers/nobody', null],
    ['PUT', '/v1/operator/simulator/carriers/nobody', '{"outage":"none"}'],
    ['GET', '/v1/operator/simulator/carriers/nobody/submissions', null],
    ['POST', '/v1/operator/consumers/nobody/replay', '{}'],
    ['POST', '/v1/operator/dead-letters/x/retry', null],
    ['POST', '/v1/operator/dead-letters/event:nobody:1/skip', null],
    ['POST', `/v1/operator/dead-letters/webhook:SM${ABSENT}-1/retry`, null],
    ['POST', '/v1/webhook-deliveries/x/replay', null],
    ['POST', `/v1/webhook-deliveries/SM${ABSENT}-2/replay`, null],
    ['POST', `/v1/webhook-deliveries/SM${ABSENT}-99999999999/replay`, null],
    ['GET', `/v1/messages/SM${ABSENT}/events`, null],
    ['GET', '/v1/messages/x/events', null],
    ['GET', '/v1/nothing', null],
    ['GET', '/v1/operator', null],
    ['GET', '/v1/operator/nothing', null],
    ['GET', '/nothing', null],
    ['GET', '/v2/messages', null],
  ])('%s %s', async (method, path, body) => {
    const request = body === null ? { method } : { method, headers: { 'content-type': JSON_TYPE }, body };
    expectProblem(await ask(path, request), 404, 20404);
  });

  it('to a stranger: the history of a message of another', async () => {
    const headers = { authorization: bench.stranger.authorization };
    expectProblem(await call(bench.product.url, `/v1/messages/${bench.own}/events`, { headers }), 404, 20404);
    expectProblem(
      await call(bench.product.url, `/v1/webhook-deliveries/${bench.own}-2/replay`, { method: 'POST', headers }),
      404,
      20404,
    );
  });

  it.each([
    ['DELETE', '/v1/balance'],
    ['POST', '/v1/balance'],
    ['GET', '/v1/messages/preview'],
    ['DELETE', '/v1/operator/accounts'],
    ['PUT', '/v1/operator/routes'],
    ['POST', '/health/live'],
    ['DELETE', '/metrics'],
  ])('%s %s, as a method', async (method, path) => {
    const answer = await ask(path, { method });
    expectProblem(answer, 405, 20004);
    expect(answer.headers.get('allow')).toMatch(/^[A-Z, ]+$/);
  });
});

it('after all of it nothing was changed, sent, reserved or charged, and nothing was an error of the product', async () => {
  await bench.expectUnharmed();
});
