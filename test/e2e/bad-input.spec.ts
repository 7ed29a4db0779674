import { connect } from 'node:net';
import { type Answer, basic, type Call, call, FORM, MESSAGES } from '../support/api.js';
import { type Bystander, openAccount } from '../support/bystander.js';
import { eventually } from '../support/eventually.js';
import { UNSTORABLE } from '../support/hostile.js';
import { DEMO_SID, DEMO_TOKEN, OPERATOR_TOKEN } from '../support/product.js';
import { STRANGERS_NUMBER, TwilioBench, VALID } from '../support/twilio-bench.js';

const START_MS = 90_000;
const ABSENT = 'f'.repeat(32);

let bench: TwilioBench;

beforeAll(async () => {
  bench = await TwilioBench.start();
}, START_MS);

afterAll(async () => {
  await bench?.stop();
}, START_MS);

const ask: TwilioBench['ask'] = (...request) => bench.ask(...request);
const create: TwilioBench['create'] = (...request) => bench.create(...request);
const expectRefused: TwilioBench['expectRefused'] = (...expected) => bench.expectRefused(...expected);
const valid = (except: string) =>
  new URLSearchParams(Object.entries(VALID).filter(([name]) => name !== except)).toString();

describe('credentials', () => {
  const encoded = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`;
  it.each<[string, string]>([
    ['of no scheme', 'x'],
    ['without a value', 'Basic'],
    ['that are not base64', 'Basic !!!!'],
    ['that are cut off', basic().slice(0, -3)],
    ['without a colon', encoded(DEMO_SID)],
    ['without a password', basic(DEMO_SID, '')],
    ['without a user', basic('', DEMO_TOKEN)],
    ['with a wrong password', basic(DEMO_SID, 'f'.repeat(32))],
    ['with a password too long', basic(DEMO_SID, `${DEMO_TOKEN}x`)],
    ['of an account that is not there', basic(`AC${ABSENT}`, DEMO_TOKEN)],
    ['of a key that is not there', basic(`SK${ABSENT}`, DEMO_TOKEN)],
    ['of a user that is no SID', basic('root', DEMO_TOKEN)],
    ['with a NUL', basic(`${DEMO_SID}\0`, DEMO_TOKEN)],
    ['that are no UTF-8', encoded(Buffer.from([0x41, 0x43, 0xff, 0xfe, 0x3a, 0x78]))],
    ['of 8 kB', basic(DEMO_SID, 'x'.repeat(6_000))],
    ['of another scheme', `Digest username="${DEMO_SID}"`],
    ["that are the operator's", `Bearer ${OPERATOR_TOKEN}`],
    ['given twice', `${basic()}, ${basic()}`],
    ["of the user's prototype", basic('__proto__', 'constructor')],
  ])('%s', async (_case, authorization) => {
    const answer = await call(bench.product.url, MESSAGES, { headers: { authorization } });
    expectRefused(answer, 401, 20003);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
  });

  it('none at all, whatever else the request holds', async () => {
    expectRefused(await call(bench.product.url, MESSAGES), 401, 20003);
    const body = `${valid('')}&${'x'.repeat(200_000)}=%`;
    expectRefused(await call(bench.product.url, MESSAGES, { headers: { 'content-type': FORM }, body }), 401, 20003);
  });

  it('that fill the head of the request', async () => {
    expectRefused(await ask(MESSAGES, { headers: { authorization: `Basic ${'A'.repeat(17_000)}` } }), 431, 20001);
  });
});

describe("somebody else's", () => {
  it('messages cannot be listed or sent', async () => {
    const path = `/2010-04-01/Accounts/${bench.stranger.sid}/Messages.json`;
    expectRefused(await ask(path), 401, 20003);
    expectRefused(await ask(path, { headers: { 'content-type': FORM }, body: valid('') }), 401, 20003);
  });

  it('balance cannot be read', async () => {
    expectRefused(await ask(`/2010-04-01/Accounts/${bench.stranger.sid}/Balance.json`), 401, 20003);
    expectRefused(await ask(`/2010-04-01/Accounts/AC${ABSENT}/Balance.json`), 401, 20003);
  });

  it.each<[string, Call]>([
    ['read', {}],
    ['redacted', { body: 'Body=' }],
    ['canceled', { body: 'Status=canceled' }],
    ['deleted', { method: 'DELETE' }],
  ])('message cannot be %s', async (_what, request) => {
    const headers = { 'content-type': FORM };
    const path = (sid: string) => `/2010-04-01/Accounts/${DEMO_SID}/Messages/${sid}.json`;
    expectRefused(await ask(path(bench.foreign), { headers, ...request }), 404, 20404);
    expectRefused(await ask(path(`SM${ABSENT}`), { headers, ...request }), 404, 20404);
  });

  it('number cannot be sent from', async () => {
    expectRefused(await create({ From: STRANGERS_NUMBER }), 400, 21606, 'From');
  });
});

describe('SIDs in the path', () => {
  it.each([
    'SM',
    `SM${'0'.repeat(31)}`,
    `SM${'0'.repeat(33)}`,
    `XX${'0'.repeat(32)}`,
    `SM${'g'.repeat(32)}`,
    `SM${'０'.repeat(32)}`,
    '..%2f..%2fBalance',
    '%2e%2e%2fBalance',
    "'; drop table message; --",
    '__proto__',
    '%F0%9F%92%A9',
    'x'.repeat(500),
  ])('%s is none of a message', async (sid) => {
    expectRefused(await ask(`/2010-04-01/Accounts/${DEMO_SID}/Messages/${sid}.json`), 404, 20404);
  });

  it.each(['AC', 'AC1', `AC${'z'.repeat(32)}`, `SM${'0'.repeat(32)}`, 'constructor'])(
    '%s is none of an account',
    async (sid) => {
      expectRefused(await ask(`/2010-04-01/Accounts/${sid}/Messages.json`), 404, 20404);
    },
  );

  it.each(UNSTORABLE)('with %s', async (_what, encoded) => {
    const answer = await ask(`/2010-04-01/Accounts/${DEMO_SID}/Messages/SM${encoded}.json`);
    expectRefused(answer, 400, 20001);
  });

  it('in a broken encoding', async () => {
    expectRefused(await ask(`/2010-04-01/Accounts/${DEMO_SID}/Messages/%zz.json`), 400, 20001);
  });
});

describe('routes', () => {
  it.each<[string, string]>([
    ['GET', '/2010-04-01'],
    ['GET', '/2010-04-01/Accounts'],
    ['GET', `/2010-04-01/Accounts/${DEMO_SID}/Nothing.json`],
    ['POST', `/2010-04-01/Accounts/${DEMO_SID}/Nothing.json`],
    ['GET', `/2010-04-01/Accounts/${DEMO_SID}/Messages`],
    ['GET', `/2010-04-01/Accounts/${DEMO_SID}/Messages.json/`],
    ['GET', `/2010-04-01//Accounts/${DEMO_SID}/Messages.json`],
    ['GET', `/2010-04-01/accounts/${DEMO_SID}/messages.json`],
    ['GET', '/v1/Nothing'],
  ])('%s %s is not there', async (method, path) => {
    expectRefused(await ask(path, { method }), 404, 20404);
  });

  it.each<[string, string]>([
    ['PUT', MESSAGES],
    ['PATCH', MESSAGES],
    ['DELETE', MESSAGES],
    ['OPTIONS', MESSAGES],
    ['POST', `/2010-04-01/Accounts/${DEMO_SID}/Balance.json`],
    ['PUT', `/2010-04-01/Accounts/${DEMO_SID}/Messages/SM${ABSENT}.json`],
  ])('%s %s is no method of it', async (method, path) => {
    const answer = await ask(path, { method });
    expectRefused(answer, 405, 20004);
    expect(answer.headers.get('allow')).toMatch(/GET/);
  });
});

describe('what is not even HTTP', () => {
  /** Sends bytes as they stand, and reads until the connection is closed. */
  async function raw(head: string): Promise<Answer> {
    const socket = connect(Number(new URL(bench.product.url).port), '127.0.0.1');
    socket.end(head.replaceAll('\n', '\r\n'));
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    const [top = '', body = ''] = text.split('\r\n\r\n');
    const [status = '', ...lines] = top.split('\r\n');
    const headers = new Headers(lines.map((line): [string, string] => [line.split(': ')[0]!, line.split(': ')[1]!]));
    return { status: Number(status.split(' ')[1]), headers, text: body };
  }

  it.each<[string, string]>([
    ['a length that is none', `POST ${MESSAGES} HTTP/1.1\nHost: x\nContent-Length: many\n\n`],
    ['two lengths', `POST ${MESSAGES} HTTP/1.1\nHost: x\nContent-Length: 1\nContent-Length: 2\n\nab`],
    [
      'a length and chunks',
      `POST ${MESSAGES} HTTP/1.1\nHost: x\nContent-Length: 1\nTransfer-Encoding: chunked\n\n0\n\n`,
    ],
    [
      'chunks that are none',
      `POST ${MESSAGES} HTTP/1.1\nHost: x\nContent-Type: ${FORM}\nTransfer-Encoding: chunked\n\nzz\n\n`,
    ],
    ['a header with a blank in its name', `GET ${MESSAGES} HTTP/1.1\nHost: x\nX Y: z\n\n`],
    ['a header with a NUL', `GET ${MESSAGES} HTTP/1.1\nHost: x\nX-Y: \0\n\n`],
    ['a version that is none', `GET ${MESSAGES} HTTP/9.9\nHost: x\n\n`],
  ])('%s', async (_case, head) => {
    expectRefused(await raw(head), 400, 20001);
  });
});

describe('accounts that may not send', () => {
  const createFor = (account: Bystander) =>
    eventually(async () => {
      const answer = await call(bench.product.url, `/2010-04-01/Accounts/${account.sid}/Messages.json`, {
        headers: { authorization: account.authorization, 'content-type': FORM },
        body: new URLSearchParams({ To: '+15555550188', From: '+15550002222', Body: 'x' }).toString(),
      });
      // A machine that is too busy refuses before it looks at the balance.
      return answer.status !== 503 && answer;
    });

  it('for want of money, and then because the operator says so', async () => {
    const poor = await openAccount(bench.product, 'A poor one');
    await bench.product.operator('POST', `accounts/${poor.sid}/phone-numbers`, { phone_number: '+15550002222' });
    expectRefused(await createFor(poor), 402, 20402);
    await bench.product.operator('PATCH', `accounts/${poor.sid}`, { status: 'suspended' });
    expectRefused(await createFor(poor), 403, 10001);
    await bench.product.operator('PATCH', `accounts/${poor.sid}`, { status: 'closed' });
    expectRefused(await createFor(poor), 401, 20003);
  });
});

it('after all of it nothing was sent, reserved or charged, and nothing was an error of the product', async () => {
  await bench.expectUnharmed();
});
