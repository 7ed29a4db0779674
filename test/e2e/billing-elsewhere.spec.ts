import { join } from 'node:path';
import { SimulatedSmsc } from '../../src/modules/carriers/infrastructure/simulator/simulated-smsc.js';
import { basic, call, FORM, read, type Sender, send } from '../support/api.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { freePorts, type Part, startPart } from '../support/extracted/part.js';
import { isFinal, messagesOf } from '../support/messages-of.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { type AuditReport, makeDataDir, OPERATOR_TOKEN } from '../support/product.js';
import { Traffic } from '../support/traffic.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const TEST_MS = 300_000;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const NUMBER = '+15550003333';
const PASSWORD = 'secret01';
const PER_ROUND = 40;
const PRICE_MICROS = 10_000;

let dir: Awaited<ReturnType<typeof makeDataDir>>;
/** Two servers: neither process can reach what the other keeps. */
let core: TestDatabase;
let ledger: TestDatabase;
let smsc: SimulatedSmsc;
let receiver: WebhookReceiver;
let otlp: OtlpReceiver;
let main: Part;
let billing: Part;
let ports: { main: number; billing: number; mainHttp: number; billingHttp: number };
let sender: Sender & { number: string };

const origin = (port: number) => `http://127.0.0.1:${port}`;

const startBilling = () =>
  startPart('billing', {
    databaseUrl: ledger.url,
    servePort: ports.billing,
    httpPort: ports.billingHttp,
    otherOrigin: origin(ports.main),
    otlpEndpoint: otlp.endpoint,
  });

const startMain = () =>
  startPart('main', {
    databaseUrl: core.url,
    servePort: ports.main,
    httpPort: ports.mainHttp,
    otherOrigin: origin(ports.billing),
    otlpEndpoint: otlp.endpoint,
  });

async function operator<T>(part: Part, method: string, path: string, body?: object): Promise<T> {
  const answer = await call(part.url, `/v1/operator/${path}`, {
    method,
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}

beforeAll(async () => {
  [dir, otlp] = await Promise.all([makeDataDir(), OtlpReceiver.start()]);
  [core, ledger] = await Promise.all([
    startTestDatabase(['accounts', 'carriers', 'messaging', 'notifications']),
    startTestDatabase(['billing']),
  ]);
  const [first, second, third, fourth] = (await freePorts(4)) as [number, number, number, number];
  ports = { main: first, billing: second, mainHttp: third, billingHttp: fourth };
  smsc = await SimulatedSmsc.start({ name: 'field', dir: join(dir.path, 'smsc'), password: PASSWORD });
  [main, billing] = await Promise.all([startMain(), startBilling()]);
  const opened = await operator<{ sid: string; auth_token: string }>(main, 'POST', 'accounts', {
    friendly_name: 'A customer',
    tier: 'enterprise',
  });
  sender = { sid: opened.sid, token: opened.auth_token, number: NUMBER };
  await operator(main, 'POST', `accounts/${sender.sid}/phone-numbers`, { phone_number: NUMBER });
  const credit = { amount: '500.00', key: 'first', reason: 'to begin with' };
  await eventually(() => operator(billing, 'POST', `accounts/${sender.sid}/credits`, credit), {
    what: 'the account that main opened has its ledger at billing',
  });
  await operator(billing, 'POST', 'rates', { prefix: '+1', price: '0.01' });
  const carrier = { name: 'field', type: 'smpp', host: '127.0.0.1', port: smsc.port, system_id: 'field' };
  await operator(main, 'POST', 'carriers', { ...carrier, password: PASSWORD, bind: 'transceiver', window: 50 });
  await operator(main, 'POST', 'routes', { prefix: '+1', carrier: 'field', priority: 10, weight: 1 });
  receiver = await WebhookReceiver.start(sender.token);
}, TEST_MS);

afterAll(async () => {
  await Promise.all([main?.kill(), billing?.kill()]);
  await Promise.all([receiver?.stop(), smsc?.stop(), otlp?.stop(), core?.stop(), ledger?.stop()]);
  await dir?.remove();
}, TEST_MS);

/** The balance, as billing's own process tells the customer. */
async function balanceMicros(): Promise<number> {
  const { balance } = await read<{ balance: string }>(billing.url, '/v1/balance', basic(sender.sid, sender.token));
  return Math.round(Number(balance) * 1_000_000);
}

describe('billing in a process of its own, with a database of its own', () => {
  it(
    'carries a message, and stays reachable itself',
    async () => {
      const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
      const { sid } = await send(main.url, { To: '+15557000000', From: NUMBER, Body: 'across' }, headers, sender);
      const path = `/2010-04-01/Accounts/${sender.sid}/Messages/${sid}.json`;
      await eventually(
        async () => {
          const found = await read<{ status: string }>(main.url, path, basic(sender.sid, sender.token));
          return found.status === 'delivered';
        },
        { timeoutMs: 60_000, what: 'it is delivered' },
      );
      await eventually(async () => (await balanceMicros()) === 500_000_000 - PRICE_MICROS, { what: 'it is charged' });
      const find = (name: string) => otlp.trace(TRACE).find((span) => span.name === name);
      for (const call of ['reserve', 'settle']) {
        const served = await eventually(() => find(`messaging.${call}`) && find(`billing.${call}`), {
          what: 'its trace',
        });
        expect(served).toMatchObject({ parentSpanId: find(`messaging.${call}`)!.spanId, kind: 'server' });
      }
    },
    TEST_MS,
  );

  it(
    'is killed under load: sends are refused meanwhile, and nothing is lost or charged twice',
    async () => {
      const before = await balanceMicros();
      const traffic = new Traffic({ url: () => main.url, callbackUrl: `${receiver.url}/callback`, clients: 4, sender });
      const load = (what: string) => {
        const goal = traffic.accepted + PER_ROUND;
        return eventually(() => traffic.accepted >= goal, { timeoutMs: 90_000, what });
      };
      traffic.start();
      await load('there is load');
      await billing.kill();
      const refused = await call(main.url, `/2010-04-01/Accounts/${sender.sid}/Messages.json`, {
        headers: { authorization: basic(sender.sid, sender.token), 'content-type': FORM },
        body: new URLSearchParams({ To: '+15557000001', From: NUMBER, Body: 'in vain' }).toString(),
      });
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
      billing = await startBilling();
      await load('it goes on');
      await traffic.stop();

      const messages = await eventually(
        async () => {
          const all = await messagesOf(main.url, sender);
          return all.length >= traffic.orders.length && all.every(isFinal) && all;
        },
        { timeoutMs: 120_000, everyMs: 500, what: 'every message is final' },
      );
      for (const order of traffic.orders) {
        const own = messages.filter(({ to, sid }) => to === order.to && order.sids.has(sid));
        expect([order.key, own.length, order.sids.size]).toEqual([order.key, 1, 1]);
      }
      expect(messages.map(({ status }) => status)).toEqual(messages.map(() => 'delivered'));
      await eventually(async () => (await balanceMicros()) === before - PRICE_MICROS * traffic.orders.length, {
        timeoutMs: 60_000,
        what: 'every message is charged once',
      });
      const report = await eventually(
        async () => {
          const now = await operator<AuditReport>(main, 'GET', 'audit');
          return now.pending === 0 && now;
        },
        { timeoutMs: 90_000, everyMs: 500, what: 'the audit finds nothing under way' },
      );
      expect(report).toMatchObject({ ok: true, violations: [] });
    },
    TEST_MS,
  );
});
