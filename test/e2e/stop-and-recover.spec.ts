import { existsSync, readdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { readMessage, send } from '../support/api.js';
import { errorLines } from '../support/bystander.js';
import { eventually } from '../support/eventually.js';
import { Load } from '../support/load.js';
import { processesUsing } from '../support/processes.js';
import {
  DEMO_TOKEN,
  descendants,
  isAlive,
  makeDataDir,
  type Product,
  postgresOf,
  readyUrl,
  spawnProduct,
  startProduct,
} from '../support/product.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const TEST_MS = 180_000;
const UNDER_LOAD = 100;

/** One for all tests but those of a first start: each begins with what the one before it has left, in good order. */
let lasting: Awaited<ReturnType<typeof makeDataDir>>;
let dir: typeof lasting;
/** What a test that fails leaves running. */
let running: Product | undefined;

beforeAll(async () => {
  lasting = await makeDataDir();
});

beforeEach(() => {
  dir = lasting;
});

afterEach(async () => {
  await running?.killEverything().catch(() => undefined);
  running = undefined;
}, TEST_MS);

afterAll(async () => {
  await lasting.remove();
});

async function start(ownGroup = false): Promise<Product> {
  running = await startProduct({ dataDir: dir.path, ownGroup });
  return running;
}

/** Everything that belongs to a product at this moment. */
async function processesOf(product: Product): Promise<number[]> {
  return [product.pid, ...(await descendants(product.pid)), ...(await postgresOf(product.dataDir))];
}

async function expectNothingLeft(pids: readonly number[]): Promise<void> {
  expect(pids.filter(isAlive)).toEqual([]);
  expect(await processesUsing(dir.path)).toEqual([]);
  expect(await readdir(join(dir.path, 'lock'))).toEqual([]);
  expect(existsSync(join(dir.path, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
}

/** Connections that were still open when PostgreSQL was told to stop (not killed), as its own log has them. */
async function cutConnections(): Promise<string[]> {
  const logs = join(dir.path, 'postgres', 'data', 'log');
  const texts = await Promise.all((await readdir(logs)).map((name) => readFile(join(logs, name), 'utf8')));
  const lines = texts.join('\n').split('\n');
  expect(lines.filter((line) => line.includes('database system is shut down'))).not.toEqual([]);
  return lines.filter((line) => /terminating connection(?! due to unexpected postmaster exit)/.test(line));
}

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

/** How a message may end where its carrier's answer was lost: the account's policy is the default, to fail. */
const LOST = 'failed 30008';

/**
 * Every promise is kept: each message is there, all become final in one of the given ways, and the modules agree on
 * them.
 */
async function expectKept(product: Product, sids: readonly string[], ends: readonly string[]): Promise<void> {
  expect(sids.length).toBeGreaterThan(0);
  let open = sids.map((sid) => ({ sid, end: '' }));
  await eventually(
    async () => {
      for (const message of open) {
        const { status, error_code: code } = await readMessage(product.url, message.sid);
        message.end = code === null ? status : `${status} ${code}`;
      }
      open = open.filter(({ end }) => !ends.includes(end));
      return open.length === 0;
    },
    { timeoutMs: 60_000, everyMs: 250, what: () => `every message is final: ${JSON.stringify(open.slice(0, 5))}` },
  );
  expect(await product.audited()).toMatchObject({ ok: true, violations: [] });
}

describe('Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'or %s ends an idle product: nothing is left, and PostgreSQL goes last',
    async (signal) => {
      const product = await start();
      const pids = await processesOf(product);
      expect(pids.length).toBeGreaterThan(3);
      process.kill(product.pid, signal);
      expect(await product.exited).toBe(0);
      await expectNothingLeft(pids);
      expect(await cutConnections()).toEqual([]);
    },
    TEST_MS,
  );

  it.each([
    ['the process', false],
    ['the whole group, as a terminal does it', true],
  ])(
    'under load, to %s: every 201 is durable, and no answer is an error',
    async (_whom, toGroup) => {
      const product = await start(true);
      const pids = await processesOf(product);
      const load = new Load(product.url);
      await eventually(() => load.accepted.length >= UNDER_LOAD, { timeoutMs: 60_000 });
      process.kill(toGroup ? -product.pid : product.pid, 'SIGINT');
      expect(await product.exited).toBe(0);
      await load.stop();
      expect(load.refused.filter(({ status }) => status !== 503)).toEqual([]);
      await expectNothingLeft(pids);
      expect(await cutConnections()).toEqual([]);
      expect(errorLines(product)).toEqual([]);
      await expectKept(await start(), load.accepted, ['delivered']);
      expect(await running?.stop()).toBe(0);
    },
    TEST_MS,
  );

  it(
    'in the terminal of npm run dev: it drains, and nothing is left',
    async () => {
      running = await startProduct({ dataDir: dir.path, npmScript: 'dev', ownGroup: true });
      const pids = await processesOf(running);
      const { sid } = await send(running.url, { To: '+15555550141', Body: 'before the end' });
      process.kill(-running.pid, 'SIGINT');
      await running.exited;
      expect(running.output()).toMatch(/ stopped\n/);
      await expectNothingLeft(pids);
      await expectKept(await start(), [sid], ['delivered']);
    },
    TEST_MS,
  );

  it(
    'twice, as npm and the terminal together send it, drains all the same',
    async () => {
      const product = await start(true);
      const pids = await processesOf(product);
      const load = new Load(product.url);
      await eventually(() => load.accepted.length >= UNDER_LOAD, { timeoutMs: 60_000 });
      process.kill(-product.pid, 'SIGINT');
      await eventually(() => product.output().includes('stopping'));
      process.kill(-product.pid, 'SIGINT');
      expect(await product.exited).toBe(0);
      await load.stop();
      await expectNothingLeft(pids);
      expect(await cutConnections()).toEqual([]);
      await expectKept(await start(), load.accepted, ['delivered']);
    },
    TEST_MS,
  );

  it(
    'while a webhook endpoint hangs: nobody can connect any more, and it is not waited for',
    async () => {
      const product = await start();
      const pids = await processesOf(product);
      const hanging = await leaveHanging(product);
      const isStopped = () => product.output().includes(' stopped');
      process.kill(product.pid, 'SIGINT');
      await eventually(async () => !(await isListening(product)), { everyMs: 5 });
      // The attempt is given some time, so this is seen before the end.
      expect(isStopped()).toBe(false);
      expect(await product.exited).toBe(0);
      await expectNothingLeft(pids);
      expect(errorLines(product)).toEqual([]);
      const next = await start();
      await expectCalledBack(hanging);
      expect(await next.stop()).toBe(0);
    },
    TEST_MS,
  );

  it(
    'again, some time later, ends it at once, and the next start recovers',
    async () => {
      const product = await start();
      const postgres = await postgresOf(dir.path);
      const hanging = await leaveHanging(product);
      // As somebody does who does not want to wait. What comes with the first is taken for the same.
      const pressing = setInterval(() => isAlive(product.pid) && process.kill(product.pid, 'SIGINT'), 50);
      expect(await product.exited).toBe(130);
      clearInterval(pressing);
      expect(product.output()).toContain('the next start recovers');
      const next = await start();
      expect(next.output()).toContain(`took over PostgreSQL (pid ${postgres[0]}`);
      await expectKept(next, [hanging.sid], ['delivered']);
      await hanging.endpoint.stop();
      expect(await next.stop()).toBe(0);
      await expectNothingLeft(postgres);
    },
    TEST_MS,
  );

  it.each<[string, (output: string) => boolean]>([
    ['when the data directory is taken', () => existsSync(join(dir.path, 'lock'))],
    ['while the database is made', () => existsSync(dir.path) && hasStage(dir.path)],
    ['when PostgreSQL starts', () => existsSync(join(dir.path, 'postgres', 'data', 'postmaster.pid'))],
    ['while the schemas are made', (output) => output.includes('applied migration')],
    ['at the last migration', (output) => output.includes('notifications: applied')],
    ['as soon as it is ready', (output) => readyUrl(output) !== null],
  ])(
    'during the first start, %s: nothing is left, and the next start works',
    async (_when, reached) => {
      dir = await makeDataDir();
      const { child, output, exited } = spawnProduct({ dataDir: dir.path, ownGroup: true });
      try {
        await eventually(() => reached(output()), { timeoutMs: 60_000, everyMs: 1, what: output });
      } finally {
        process.kill(-child.pid!, 'SIGINT');
      }
      expect([await exited, output()]).toEqual([0, expect.any(String)]);
      expect(output()).not.toContain('    at ');
      expect(await processesUsing(dir.path)).toEqual([]);
      const product = await start();
      await expectKept(
        product,
        [(await send(product.url, { To: '+15555550140', Body: 'at last' })).sid],
        ['delivered'],
      );
      expect(await product.stop()).toBe(0);
      await dir.remove();
    },
    TEST_MS,
  );
});

describe('kill -9', () => {
  it(
    'of the app alone: the next start takes over what survived, and every promise is kept',
    async () => {
      const product = await start();
      const simulator = await descendants(product.pid);
      const postgres = await postgresOf(dir.path);
      const load = new Load(product.url);
      await eventually(() => load.accepted.length >= UNDER_LOAD, { timeoutMs: 60_000 });
      await product.kill();
      await load.stop();
      expect(load.refused.filter(({ status }) => status !== 503)).toEqual([]);
      expect(isAlive(postgres[0]!)).toBe(true);
      await eventually(() => !simulator.filter((pid) => !postgres.includes(pid)).some(isAlive), {
        what: 'the simulated carriers end with their parent',
      });
      const next = await start();
      expect(next.output()).toContain(`took over PostgreSQL (pid ${postgres[0]}`);
      await expectKept(next, load.accepted, ['delivered', LOST]);
      const pids = await processesOf(next);
      expect(await next.stop()).toBe(0);
      await expectNothingLeft([...pids, ...postgres]);
    },
    TEST_MS,
  );

  it(
    'of everything: the next start recovers by itself, and every promise is kept',
    async () => {
      const product = await start();
      const pids = await processesOf(product);
      const load = new Load(product.url);
      await eventually(() => load.accepted.length >= UNDER_LOAD, { timeoutMs: 60_000 });
      await product.killEverything();
      await load.stop();
      expect(load.refused.filter(({ status }) => status !== 503)).toEqual([]);
      const next = await start();
      await expectKept(next, load.accepted, ['delivered', LOST]);
      expect(await next.stop()).toBe(0);
      await expectNothingLeft(pids);
    },
    TEST_MS,
  );

  it(
    'of PostgreSQL alone: it comes back, and every promise is kept',
    async () => {
      const product = await start();
      const load = new Load(product.url);
      await eventually(() => load.accepted.length >= UNDER_LOAD, { timeoutMs: 60_000 });
      const [postmaster] = await postgresOf(dir.path);
      process.kill(postmaster!, 'SIGKILL');
      const before = load.accepted.length;
      await eventually(() => product.output().includes('PostgreSQL is back'), { timeoutMs: 60_000 });
      await eventually(() => load.accepted.length >= before + UNDER_LOAD, { timeoutMs: 60_000 });
      await load.stop();
      expect(load.refused.filter(({ status }) => status !== 503)).toEqual([]);
      await expectKept(product, load.accepted, ['delivered']);
      expect(await product.stop()).toBe(0);
    },
    TEST_MS,
  );
});

function hasStage(path: string): boolean {
  return readdirSync(path).some((name) => name.startsWith('postgres.new-'));
}
