import { connect } from 'node:net';
import { send } from '../support/api.js';
import { errorLines } from '../support/bystander.js';
import { eventually } from '../support/eventually.js';
import {
  cutConnections,
  errorsOf,
  expectKept,
  expectNothingLeft,
  Lives,
  processesOf,
  underLoad,
} from '../support/lives.js';
import { type DataDir, DEMO_TOKEN, isAlive, makeReadyDataDir, type Product, postgresOf } from '../support/product.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const TEST_MS = 180_000;

let dir: DataDir;
let lives: Lives;

beforeAll(async () => {
  dir = await makeReadyDataDir();
  lives = new Lives(dir);
});

afterEach(() => lives.tidy(), TEST_MS);

afterAll(async () => {
  await lives.end();
  await dir.remove();
}, TEST_MS);

/** Whether somebody listens at the product's port. */
function isListening(product: Product): Promise<boolean> {
  const { port, hostname } = new URL(product.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A message, and a customer's endpoint that was told of it and does not answer. */
async function leaveHanging(product: Product): Promise<{ endpoint: WebhookReceiver; sid: string }> {
  const endpoint = await WebhookReceiver.start(DEMO_TOKEN);
  endpoint.answer = () => null;
  const { sid } = await send(product.url, { To: '+15555550142', Body: 'called back', StatusCallback: endpoint.url });
  await eventually(() => endpoint.received.length > 0, { timeoutMs: 60_000, what: 'the endpoint is told' });
  endpoint.answer = () => 204;
  return { endpoint, sid };
}

/** The first attempt counted for nothing: the next process makes it at once, and not when a retry would be due. */
async function expectCalledBack({ endpoint, sid }: Awaited<ReturnType<typeof leaveHanging>>): Promise<void> {
  await eventually(() => endpoint.statusesOf(sid).includes('delivered'), { what: 'the endpoint is told again' });
  expect(endpoint.statusesOf(sid)).toEqual(['sent', 'delivered']);
  await endpoint.stop();
}

describe('Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'or %s ends an idle product: nothing is left, and PostgreSQL goes last',
    async (signal) => {
      const product = await lives.begin();
      const pids = await processesOf(product);
      expect(pids.length).toBeGreaterThan(3);
      process.kill(product.pid, signal);
      expect(await product.exited).toBe(0);
      await expectNothingLeft(dir, pids);
      expect(await cutConnections(dir)).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'under load, to the process: every 201 is durable, and no answer is an error',
    async () => {
      const product = await lives.begin();
      const pids = await processesOf(product);
      const load = await underLoad(product);
      process.kill(product.pid, 'SIGINT');
      expect(await product.exited).toBe(0);
      await load.stop();
      expect(errorsOf(load)).toEqual([]);
      await expectNothingLeft(dir, pids);
      expect(await cutConnections(dir)).toEqual([]);
      expect(errorLines(product)).toEqual([]);
      await expectKept(await lives.start(), load.accepted, ['delivered']);
      lives.leave();
    },
    TEST_MS,
  );

  it(
    'under load, to the whole group, as a terminal does it, and twice, as npm hands it on: it drains all the same',
    async () => {
      const product = await lives.begin();
      const pids = await processesOf(product);
      const load = await underLoad(product);
      process.kill(-product.pid, 'SIGINT');
      await eventually(() => product.output().includes('stopping'));
      process.kill(-product.pid, 'SIGINT');
      expect(await product.exited).toBe(0);
      await load.stop();
      expect(errorsOf(load)).toEqual([]);
      await expectNothingLeft(dir, pids);
      expect(await cutConnections(dir)).toEqual([]);
      expect(errorLines(product)).toEqual([]);
      await expectKept(await lives.start(), load.accepted, ['delivered']);
      lives.leave();
    },
    TEST_MS,
  );

  it(
    'while a webhook endpoint hangs: nobody can connect any more, and it is not waited for',
    async () => {
      const product = await lives.begin();
      const pids = await processesOf(product);
      const hanging = await leaveHanging(product);
      const isStopped = () => product.output().includes(' stopped');
      process.kill(product.pid, 'SIGINT');
      await eventually(async () => !(await isListening(product)), { everyMs: 5 });
      // The attempt is given some time, so this is seen before the end.
      expect(isStopped()).toBe(false);
      expect(await product.exited).toBe(0);
      await expectNothingLeft(dir, pids);
      expect(errorLines(product)).toEqual([]);
      await lives.start();
      await expectCalledBack(hanging);
      lives.leave();
    },
    TEST_MS,
  );

  it(
    'again, some time later, ends it at once, and the next start recovers',
    async () => {
      const product = await lives.begin();
      const postgres = await postgresOf(dir.path);
      const hanging = await leaveHanging(product);
      // As somebody does who does not want to wait. What comes with the first is taken for the same.
      const pressing = setInterval(() => isAlive(product.pid) && process.kill(product.pid, 'SIGINT'), 50);
      expect(await product.exited).toBe(130);
      clearInterval(pressing);
      expect(product.output()).toContain('the next start recovers');
      const next = await lives.start();
      expect(next.output()).toContain(`took over PostgreSQL (pid ${postgres[0]}`);
      await expectKept(next, [hanging.sid], ['delivered']);
      await hanging.endpoint.stop();
      expect(await next.stop()).toBe(0);
      await expectNothingLeft(dir, postgres);
    },
    TEST_MS,
  );

  it(
    'in the terminal of npm run dev: it drains, and nothing is left',
    async () => {
      const product = await lives.start('dev');
      const pids = await processesOf(product);
      const { sid } = await send(product.url, { To: '+15555550141', Body: 'before the end' });
      process.kill(-product.pid, 'SIGINT');
      await product.exited;
      expect(product.output()).toMatch(/ stopped\n/);
      await expectNothingLeft(dir, pids);
      await expectKept(await lives.start(), [sid], ['delivered']);
    },
    TEST_MS,
  );
});
