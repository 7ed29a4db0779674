import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SimulatedSmsc } from '../../src/modules/carriers/infrastructure/simulator/simulated-smsc.js';
import { basic, call, FORM, type Sender, send } from '../support/api.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { isFinal, messagesOf } from '../support/messages-of.js';
import { makeDataDir, type Product, startProduct } from '../support/product.js';
import { Traffic } from '../support/traffic.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const TEST_MS = 240_000;
const NUMBER = '+15550003333';
const PASSWORD = 'secret01';
const PER_ROUND = 80;
const OWNS_BINDS = 'this worker owns the binds';

let dir: Awaited<ReturnType<typeof makeDataDir>>;
let database: TestDatabase;
let smsc: SimulatedSmsc;
let receiver: WebhookReceiver;
let apis: [Product, Product];
let workers: [Product, Product];
let sender: Sender & { number: string };

const start = (name: string, role: string) =>
  startProduct({
    dataDir: join(dir.path, name),
    env: { DATABASE_URL: database.url, ROLES: role, WEBHOOK_ALLOWED_CIDRS: '127.0.0.0/8' },
    args: [],
  });

async function openCustomer(api: Product): Promise<Sender & { number: string }> {
  const { sid, auth_token: token } = await api.operator<{ sid: string; auth_token: string }>('POST', 'accounts', {
    friendly_name: 'A customer',
    tier: 'enterprise',
  });
  await api.operator('POST', `accounts/${sid}/credits`, { amount: '500.00', key: 'first', reason: 'to begin with' });
  await api.operator('POST', `accounts/${sid}/phone-numbers`, { phone_number: NUMBER });
  return { sid, token, number: NUMBER };
}

beforeAll(async () => {
  dir = await makeDataDir();
  database = await startTestDatabase();
  smsc = await SimulatedSmsc.start({ name: 'field', dir: join(dir.path, 'smsc'), password: PASSWORD });
  apis = await Promise.all([start('api-1', 'api'), start('api-2', 'api')]);
  const carrier = { name: 'field', type: 'smpp', host: '127.0.0.1', port: smsc.port, system_id: 'field' };
  await apis[0].operator('POST', 'carriers', { ...carrier, password: PASSWORD, bind: 'transceiver', window: 50 });
  await apis[1].operator('POST', 'routes', { prefix: '+1', carrier: 'field', priority: 10, weight: 1 });
  await apis[0].operator('POST', 'rates', { prefix: '+1', price: '0.01' });
  // One after the other: the first one owns the binds by the time the second looks.
  const owner = await start('worker-1', 'worker');
  await eventually(() => owner.output().includes(OWNS_BINDS), { what: 'the first worker owns the binds' });
  workers = [owner, await start('worker-2', 'worker')];
  sender = await openCustomer(apis[0]);
  receiver = await WebhookReceiver.start(sender.token);
}, TEST_MS);

afterAll(async () => {
  await Promise.all([...(apis ?? []), ...(workers ?? [])].map((product) => product.stop()));
  await Promise.all([receiver?.stop(), smsc?.stop()]);
  await database?.stop();
  await dir?.remove();
}, TEST_MS);

/** Asks both processes in turn, as a balancer before them would. */
function balanced(): () => string {
  let count = 0;
  return () => apis[count++ % 2]!.url;
}

describe('two api processes and two workers on one database', () => {
  it(
    'see through either api what was changed through the other',
    async () => {
      const [one, other] = apis;
      const { sid } = sender;
      const status = async (user: string, secret: string) =>
        (await call(other.url, '/v1/balance', { headers: { authorization: basic(user, secret) } })).status;
      const soon = (what: string, condition: () => Promise<boolean>) =>
        eventually(condition, { timeoutMs: 10_000, what });

      const key = await one.operator<{ sid: string; secret: string }>('POST', `accounts/${sid}/keys`, {
        friendly_name: 'a program',
      });
      await soon('the new key is known', async () => (await status(key.sid, key.secret)) === 200);
      await one.operator('DELETE', `accounts/${sid}/keys/${key.sid}`);
      await soon('the revoked key is refused', async () => (await status(key.sid, key.secret)) === 401);

      const another = await openCustomerOf(one);
      expect(await status(another.sid, another.token)).toBe(200);
      const rotated = await one.operator<{ auth_token: string }>('POST', `accounts/${another.sid}/auth-token`);
      await soon('the old token is refused', async () => (await status(another.sid, another.token)) === 401);
      expect(await status(another.sid, rotated.auth_token)).toBe(200);

      const preview = async () => {
        const { text } = await call(other.url, '/v1/messages/preview', {
          headers: { authorization: basic(sid, sender.token), 'content-type': 'application/json' },
          body: JSON.stringify({ to: '+15557000000', body: 'hello' }),
        });
        return text;
      };
      expect(await preview()).toMatch(/"0\.01/);
      await one.operator('POST', 'rates', { prefix: '+1', price: '0.02' });
      await soon('the new rate is used', async () => /"0\.02/.test(await preview()));
      await one.operator('POST', 'rates', { prefix: '+1', price: '0.01' });
      await soon('the old rate is used again', async () => /"0\.01/.test(await preview()));

      const route = await one.operator<{ id: string }>('POST', 'routes', {
        prefix: '+44',
        carrier: 'field',
        priority: 1,
      });
      await one.operator('POST', 'rates', { prefix: '+44', price: '0.01' });
      const toBritain = { To: '+447700900123', From: NUMBER, Body: 'by the new route' };
      await eventually(() => send(other.url, toBritain, {}, sender), { what: 'the new route is used' });
      await one.operator('DELETE', `routes/${route.id}`);
      await soon('the route is gone', async () => {
        const { status: answered, text } = await call(other.url, `/2010-04-01/Accounts/${sid}/Messages.json`, {
          headers: { authorization: basic(sid, sender.token), 'content-type': FORM },
          body: new URLSearchParams(toBritain).toString(),
        });
        return answered === 400 && text.includes('21612');
      });
    },
    TEST_MS,
  );

  it(
    'lose and double nothing when the worker with the binds is killed, and then an api process',
    async () => {
      const traffic = new Traffic({
        url: balanced(),
        callbackUrl: `${receiver.url}/callback`,
        clients: 4,
        sender,
      });
      const load = (what: string) => {
        const goal = traffic.accepted + PER_ROUND;
        return eventually(() => traffic.accepted >= goal, { timeoutMs: 60_000, what });
      };
      traffic.start();
      await load('both are under load');
      const inWindow = await fillWindow();
      const killedAt = performance.now();
      await workers[0].kill();
      smsc.put({ latency_ms: 0 });
      const since = (condition: () => boolean) =>
        eventually(() => condition() && performance.now() - killedAt, {
          timeoutMs: 60_000,
          everyMs: 10,
          what: () => `the other worker takes over:\n${workers[1].output()}`,
        });
      const ownedMs = await since(() => workers[1].output().includes(OWNS_BINDS));
      const { submitted } = smsc.snapshot().counters;
      const carriesMs = await since(() => smsc.snapshot().counters.submitted > submitted);
      const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
      console.info(
        `after kill -9 of the worker with the binds, with ${inWindow.size} unanswered in its window, the other owned them in ` +
          `${inSeconds(ownedMs)} and had a message at the carrier in ${inSeconds(carriesMs)}`,
      );
      await load('the other worker carries');
      await apis[0].kill();
      apis[0] = await start('api-1', 'api');
      await load('and the killed api process is back');
      await traffic.stop();

      let open = '';
      const messages = await eventually(
        async () => {
          const all = (await messagesOf(apis[1].url, sender)).filter(({ to }) => to.startsWith('+1555'));
          const notFinal = all.filter((message) => !isFinal(message));
          open = `${all.length} of ${traffic.orders.length}, ${JSON.stringify(notFinal.slice(0, 5))}`;
          return all.length >= traffic.orders.length && notFinal.length === 0 && all;
        },
        { timeoutMs: 90_000, everyMs: 500, what: () => `every message is final: ${open}` },
      );
      expect(messages).toHaveLength(traffic.orders.length);
      for (const order of traffic.orders) {
        const own = messages.filter((message) => message.to === order.to).map((message) => message.sid);
        expect([order.key, own]).toEqual([order.key, [...order.sids]]);
      }
      const given = timesGiven();
      // What was in the window was given once, and its outcome is unknown for good.
      expect(inWindow.size).toBeGreaterThan(0);
      for (const { to, status, error_code } of messages.filter((message) => inWindow.has(message.to))) {
        expect([to, status, error_code, given.get(to)]).toEqual([to, 'failed', 30008, 1]);
      }
      for (const { sid, to, status, error_code } of messages) {
        // What the killed worker was not answered has an unknown outcome, which fails by default.
        const isUnknown = status === 'failed' && error_code === 30008;
        const times = given.get(to) ?? 0;
        expect([sid, status, isUnknown ? times <= 1 : times === 1]).toEqual([
          sid,
          isUnknown ? status : 'delivered',
          true,
        ]);
      }
      const expected = (status: string) => (status === 'failed' ? ['failed'] : ['sent', status]);
      await eventually(() => messages.every(({ sid, status }) => receiver.statusesOf(sid).includes(status)), {
        timeoutMs: 90_000,
        everyMs: 500,
        what: 'every final state is called back',
      });
      for (const { sid, status } of messages) expect([sid, receiver.statusesOf(sid)]).toEqual([sid, expected(status)]);
      expect(receiver.received.every(({ signatureValid }) => signatureValid)).toBe(true);
      expect(smsc.snapshot().counters.sessions).toBe(1);
      expect(await apis[1].audited()).toMatchObject({ ok: true, violations: [] });
    },
    TEST_MS,
  );

  it('keep nothing on disk: the database has all of it', async () => {
    for (const { dataDir } of [...apis, ...workers]) {
      await expect(readdir(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });
});

function openCustomerOf(api: Product): Promise<Sender> {
  return api
    .operator<{ sid: string; auth_token: string }>('POST', 'accounts', { friendly_name: 'Another', tier: 'pro' })
    .then(({ sid, auth_token: token }) => ({ sid, token }));
}

/** Lets the carrier take without answering; the destinations of what it was given since. */
async function fillWindow(): Promise<Set<string>> {
  const { accepted } = smsc.snapshot().counters;
  smsc.put({ latency_ms: 60_000 });
  const given = () => smsc.submissions({ after: accepted, limit: 1000 }).data;
  await eventually(() => given().length >= 5, { everyMs: 5, what: 'some wait for their answer' });
  return new Set(given().map(({ destination }) => destination));
}

/** How often the carrier was given something for each destination, by its own record. */
function timesGiven(): Map<string, number> {
  const counts = new Map<string, number>();
  for (let after = 0; ; ) {
    const page = smsc.submissions({ after, limit: 1000 });
    for (const { destination } of page.data) counts.set(destination, (counts.get(destination) ?? 0) + 1);
    if (page.data.length === 0) return counts;
    after = page.data.at(-1)!.sequence;
  }
}
