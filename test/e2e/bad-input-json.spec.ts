import { basic, call, FORM, JSON_TYPE } from '../support/api.js';
import { UNSTORABLE_JSON } from '../support/hostile.js';
import { JsonBench } from '../support/json-bench.js';
import { DEMO_SID, OPERATOR_TOKEN } from '../support/product.js';

const START_MS = 90_000;
const ABSENT = 'f'.repeat(32);

let bench: JsonBench;

beforeAll(async () => {
  bench = await JsonBench.start();
}, START_MS);

afterAll(async () => {
  await bench?.stop();
}, START_MS);

const write: JsonBench['write'] = (...request) => bench.write(...request);
const expectProblem: JsonBench['expectProblem'] = (...expected) => bench.expectProblem(...expected);

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
      const answer = await call(bench.product.url, path, { method, headers, body: '{' });
      expectProblem(answer, 401, 20003);
      expect(answer.headers.get('www-authenticate')).toMatch(isOperators ? /^Bearer / : /^Basic /);
    }
  });
});

it('after all of it nothing was changed, sent, reserved or charged, and nothing was an error of the product', async () => {
  await bench.expectUnharmed();
});
