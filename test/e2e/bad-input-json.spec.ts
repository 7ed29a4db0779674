import { type Answer, basic, type Call, call, FORM, JSON_TYPE } from '../support/api.js';
import { type Bystander, openAccount, type Standing, sendSettled, standingOf } from '../support/bystander.js';
import { eventually } from '../support/eventually.js';
import { UNSTORABLE, UNSTORABLE_JSON } from '../support/hostile.js';
import { DEMO_SID, DEMO_TOKEN, makeDataDir, OPERATOR_TOKEN, type Product, startProduct } from '../support/product.js';

const START_MS = 90_000;
const ABSENT = 'f'.repeat(32);
const ABSENT_ID = 'ffffffff-ffff-7fff-bfff-ffffffffffff';
const LISTS = ['accounts', `accounts/${DEMO_SID}/credits`, `accounts/${DEMO_SID}/keys`, 'rates', 'carriers', 'routes'];

let dir: Awaited<ReturnType<typeof makeDataDir>>;
let product: Product;
let stranger: Bystander;
let own: string;
let before: Standing & { lists: unknown };

beforeAll(async () => {
  dir = await makeDataDir();
  product = await startProduct({ dataDir: dir.path });
  stranger = await openAccount(product, 'A stranger');
  own = await sendSettled(product, '+15555550100', 'the only one');
  before = await eventually(async () => {
    const { pending } = await product.operator<{ pending: number }>('GET', 'audit');
    return pending === 0 && (await everything());
  });
}, START_MS);

afterAll(async () => {
  await product?.stop();
  await dir?.remove();
}, START_MS);

/** What no refused request may have changed; how the carriers fare changes by itself. */
async function everything() {
  const lists = await Promise.all(
    LISTS.map(async (path) => {
      const { data } = await product.operator<{ data: Record<string, unknown>[] }>('GET', path);
      return data.map(({ status_at, quality, session, pace, breaker, bulkhead, stale, ...rest }) => rest);
    }),
  );
  return { ...(await standingOf(product)), lists };
}

interface Problem {
  readonly detail: string;
  readonly errors?: { field: string; message: string }[];
}

/** The answer is a problem of RFC 9457, with the field at fault where one is given. */
function expectProblem(answer: Answer, status: number, code: number, field?: string): void {
  const { detail, errors, ...rest } = JSON.parse(answer.text) as Problem;
  expect({ http: answer.status, ...rest }).toEqual({
    http: status,
    status,
    code,
    type: `${product.url}/docs/errors/${code}`,
    title: expect.stringMatching(/\S{3}/),
    request_id: answer.headers.get('x-request-id'),
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(detail).toMatch(/\S{3}/);
  for (const error of errors ?? []) expect(error).toEqual({ field: expect.any(String), message: expect.any(String) });
  if (field !== undefined) expect(errors?.map((error) => error.field)).toContain(field);
}

const asOperator = (path: string, request: Call = {}) =>
  call(product.url, path, { ...request, headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, ...request.headers } });
const asCustomer = (path: string, request: Call = {}) =>
  call(product.url, path, { ...request, headers: { authorization: basic(), ...request.headers } });
const ask = (path: string, request: Call = {}) =>
  path.startsWith('/v1/operator/') ? asOperator(path, request) : asCustomer(path, request);
const write = (method: string, path: string, body: string | Buffer, type = JSON_TYPE) =>
  ask(path, { method, headers: { 'content-type': type }, body });

/** Everything that takes JSON: a body that would be good, which no test sends as it stands. */
const WRITES: readonly [method: string, path: string, good: Record<string, unknown>][] = [
  ['POST', '/v1/messages/preview', { to: '+15555550100', body: 'x' }],
  ['POST', '/v1/webhook-deliveries/replay', { message_sid: `SM${ABSENT}` }],
  ['POST', '/v1/operator/accounts', { friendly_name: 'x', tier: 'pro' }],
  ['PATCH', `/v1/operator/accounts/${DEMO_SID}`, { tier: 'pro' }],
  ['POST', `/v1/operator/accounts/${DEMO_SID}/credits`, { amount: '1.00', key: 'k', reason: 'r' }],
  ['POST', `/v1/operator/accounts/${DEMO_SID}/phone-numbers`, { phone_number: '+15550004444' }],
  ['POST', `/v1/operator/accounts/${DEMO_SID}/keys`, { friendly_name: 'x' }],
  ['POST', '/v1/operator/rates', { prefix: '+49', price: '0.05' }],
  [
    'POST',
    '/v1/operator/carriers',
    { name: 'new', type: 'smpp', host: '127.0.0.1', port: 2775, system_id: 'x', password: 'x' },
  ],
  ['PATCH', '/v1/operator/carriers/sim-smpp-2', { host: '127.0.0.1' }],
  ['POST', '/v1/operator/routes', { prefix: '+49', carrier: 'sim-smpp-2' }],
  ['PUT', '/v1/operator/simulator/carriers/sim-smpp-2', { outage: 'none' }],
  ['POST', '/v1/operator/consumers/none/replay', { from: 0 }],
];

describe.each(WRITES)('%s %s', (method, path, good) => {
  it.each([
    ['no JSON', '{'],
    ['JSON and more', '{} {}'],
    ['a byte order mark', '\ufeff{}'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['a number', '1e999'],
    ['a name of a prototype', '{"__proto__": {"tier": "free"}}'],
    ['another prototype', '{"constructor": {"prototype": {"x": 1}}}'],
    ['deep nesting', `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['ten thousand values', `{"a":[${'1,'.repeat(10_000)}1]}`],
    ['a name that is not known', JSON.stringify({ ...good, surprise: 1 })],
  ])('refuses %s', async (_what, body) => {
    expectProblem(await write(method, path, body), 400, 20001);
  });

  it('refuses a megabyte', async () => {
    expectProblem(await write(method, path, JSON.stringify({ ...good, more: 'x'.repeat(1_000_000) })), 413, 20413);
  });

  it('refuses other types, character sets and bytes', async () => {
    const body = JSON.stringify(good);
    for (const type of [FORM, 'text/plain', 'application/xml', `${JSON_TYPE}; charset=latin1`]) {
      expectProblem(await write(method, path, body, type), 415, 20415);
    }
    expectProblem(await write(method, path, Buffer.from([0x22, 0xff, 0x22])), 400, 20001);
  });

  const names = Object.keys(good);
  it.each(names)('refuses a %s of every other kind', async (name) => {
    for (const value of [null, {}, [], [good[name]], Number.NaN, typeof good[name] === 'number' ? '7' : 7]) {
      if (value === null && name === 'account_sid') continue;
      expectProblem(await write(method, path, JSON.stringify({ ...good, [name]: value })), 400, 20001, name);
    }
  });

  it.each(names)('refuses a %s that is endless', async (name) => {
    const endless = typeof good[name] === 'number' ? 1e300 : 'x'.repeat(20_000);
    expectProblem(await write(method, path, JSON.stringify({ ...good, [name]: endless })), 400, 20001, name);
  });

  it.each(UNSTORABLE_JSON)('refuses %s in every text and name', async (_what, text) => {
    for (const name of names) {
      const body = JSON.stringify({ ...good, [name]: '@' }).replace('"@"', text);
      expectProblem(await write(method, path, body), 400, 20001, name);
    }
    expectProblem(await write(method, path, `{${text}: 1}`), 400, 20001);
  });

  it('refuses a stranger, whatever the body', async () => {
    const isOperators = path.startsWith('/v1/operator/');
    const wrong = isOperators ? [basic(), 'Bearer wrong'] : [`Bearer ${OPERATOR_TOKEN}`, basic(DEMO_SID, 'wrong')];
    for (const authorization of ['', 'Bearer', ...wrong]) {
      const headers = { 'content-type': JSON_TYPE, ...(authorization ? { authorization } : {}) };
      const answer = await call(product.url, path, { method, headers, body: '{' });
      expectProblem(answer, 401, 20003);
      expect(answer.headers.get('www-authenticate')).toMatch(isOperators ? /^Bearer / : /^Basic /);
    }
  });
});

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
    ['POST', '/v1/operator/routes', { prefix: '+49', carrier: 'nobody' }, 'carrier'],
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
    ...LISTS.map((path) => `/v1/operator/${path}`),
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
  it.each([
    ['GET', `/v1/operator/accounts/AC${ABSENT}`],
    ['GET', '/v1/operator/accounts/AC1'],
    ['GET', '/v1/operator/accounts/__proto__'],
    ['PATCH', `/v1/operator/accounts/AC${ABSENT}`, '{"tier":"pro"}'],
    ['POST', `/v1/operator/accounts/AC${ABSENT}/credits`, '{"amount":"1","key":"k"}'],
    ['GET', `/v1/operator/accounts/AC${ABSENT}/credits`],
    ['POST', `/v1/operator/accounts/AC${ABSENT}/phone-numbers`, '{"phone_number":"+15550004444"}'],
    ['POST', `/v1/operator/accounts/AC${ABSENT}/keys`, '{}'],
    ['DELETE', `/v1/operator/accounts/${DEMO_SID}/keys/SK${ABSENT}`],
    ['DELETE', `/v1/operator/accounts/${DEMO_SID}/keys/x`],
    ['POST', `/v1/operator/accounts/AC${ABSENT}/auth-token`],
    ['DELETE', `/v1/operator/rates/${ABSENT_ID}`],
    ['DELETE', '/v1/operator/rates/x'],
    ['DELETE', `/v1/operator/routes/${ABSENT_ID}`],
    ['DELETE', '/v1/operator/routes/x'],
    ['GET', '/v1/operator/carriers/nobody'],
    ['PATCH', '/v1/operator/carriers/nobody', '{"port":1}'],
    ['POST', '/v1/operator/carriers/nobody/drain'],
    ['GET', '/v1/operator/carriers/nobody/orphan-receipts'],
    ['GET', '/v1/operator/simulator/carriers/nobody'],
    ['PUT', '/v1/operator/simulator/carriers/nobody', '{"outage":"none"}'],
    ['GET', '/v1/operator/simulator/carriers/nobody/submissions'],
    ['POST', '/v1/operator/consumers/nobody/replay', '{}'],
    ['POST', '/v1/operator/dead-letters/x/retry'],
    ['POST', '/v1/operator/dead-letters/event:nobody:1/skip'],
    ['POST', `/v1/operator/dead-letters/webhook:SM${ABSENT}-1/retry`],
    ['POST', '/v1/webhook-deliveries/x/replay'],
    ['POST', `/v1/webhook-deliveries/SM${ABSENT}-2/replay`],
    ['POST', `/v1/webhook-deliveries/SM${ABSENT}-99999999999/replay`],
    ['GET', `/v1/messages/SM${ABSENT}/events`],
    ['GET', '/v1/messages/x/events'],
    ['GET', '/v1/nothing'],
    ['GET', '/v1/operator'],
    ['GET', '/v1/operator/nothing'],
    ['GET', '/nothing'],
    ['GET', '/v2/messages'],
  ])('%s %s', async (method, path, body?: string) => {
    const request = body === undefined ? { method } : { method, headers: { 'content-type': JSON_TYPE }, body };
    expectProblem(await ask(path, request), 404, 20404);
  });

  it('to a stranger: the history of a message of another', async () => {
    const headers = { authorization: stranger.authorization };
    expectProblem(await call(product.url, `/v1/messages/${own}/events`, { headers }), 404, 20404);
    expectProblem(
      await call(product.url, `/v1/webhook-deliveries/${own}-2/replay`, { method: 'POST', headers }),
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

describe('after all of it', () => {
  it('nothing was changed, sent, reserved or charged', async () => {
    expect(await everything()).toEqual(before);
    const auth = await call(product.url, '/v1/balance', { headers: { authorization: basic(DEMO_SID, DEMO_TOKEN) } });
    expect(auth.status).toBe(200);
  });

  it('nothing was an error of the product', async () => {
    expect(product.output()).not.toMatch(/ ERROR | FATAL /);
    expect((await call(product.url, '/metrics')).text).not.toContain('status="5xx"');
  });
});
