import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fillWithDatabase } from './database.js';
import { eventually } from './eventually.js';

export const DEMO_SID = 'AC00000000000000000000000000000001';
export const DEMO_TOKEN = '0123456789abcdef0123456789abcdef';
export const OPERATOR_TOKEN = 'operator-token-of-the-tests';
export const DEMO_NUMBER = '+15005550006';

const READY_MS = 60_000;
const STOP_MS = 40_000;

/** The product as it ships in development, in a process of its own. */
export interface Product {
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Everything it has printed so far. */
  output(): string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
  /** Ctrl-C, and waits for the end. */
  stop(): Promise<number | null>;
  /** kill -9 of the app alone. */
  kill(): Promise<void>;
  /** kill -9 of the app, the simulated carriers and PostgreSQL. */
  killEverything(): Promise<void>;
  operator<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** What the audit says once no work is under way. */
  audited(): Promise<AuditReport>;
  /** How often the simulated carriers were given something for each destination, by their own records. */
  givenToCarriers(): Promise<Map<string, number>>;
}

export interface AuditReport {
  readonly ok: boolean;
  readonly pending: number;
  readonly violations: readonly unknown[];
}

export const SIMULATORS = ['sim-smpp-1', 'sim-smpp-2', 'sim-http-1'];

export interface ProductOptions {
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Starts it through npm, as people do; its arguments are the script's. */
  readonly npmScript?: string;
  /** A process group of its own, as a terminal gives to what is started in it: `process.kill(-pid)` reaches it. */
  readonly ownGroup?: boolean;
}

export interface DataDir {
  readonly path: string;
  remove(): Promise<void>;
}

/** A data directory of a test's own, empty: the product makes its database in it. */
export async function makeDataDir(): Promise<DataDir> {
  const path = await mkdtemp(join(tmpdir(), 'trunkline-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** One that has the database already, its schemas too, which the product would spend seconds to make. */
export async function makeReadyDataDir(): Promise<DataDir> {
  const dir = await makeDataDir();
  await fillWithDatabase(dir.path);
  return dir;
}

/** Starts the built product and waits until it says that it is ready. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const { dataDir } = options;
  const spawned = spawnProduct(options);
  const { child, output } = spawned;
  await eventually(
    () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended at its start:\n${output()}`);
      return readyUrl(output()) !== null;
    },
    { timeoutMs: READY_MS, what: () => `the product is ready:\n${output()}`, fatal: true },
  );
  const url = readyUrl(output())!;
  const pid = child.pid!;
  return {
    url,
    dataDir,
    pid,
    output,
    exited: spawned.exited,
    stop: async () => {
      child.kill('SIGINT');
      return within(spawned.exited, STOP_MS, () => `the product stops:\n${output()}`);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await spawned.exited;
    },
    killEverything: async () => {
      const others = [...(await descendants(pid)), ...(await postgresOf(dataDir))];
      child.kill('SIGKILL');
      for (const other of others) killNow(other);
      await spawned.exited;
      await eventually(() => others.every((other) => !isAlive(other)), { what: 'every process is gone' });
    },
    operator: (method, path, body) => operatorRequest(url, method, path, body),
    audited: () =>
      eventually(
        async () => {
          const report = await operatorRequest<AuditReport>(url, 'GET', 'audit');
          return report.pending === 0 && report;
        },
        { timeoutMs: 60_000, everyMs: 500, what: 'the audit finds nothing under way' },
      ) as Promise<AuditReport>,
    givenToCarriers: () => givenToCarriers(url),
  };
}

async function givenToCarriers(url: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const name of SIMULATORS) {
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = `limit=1000${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const page: { data: { destination: string }[]; next_cursor: string | null } = await operatorRequest(
        url,
        'GET',
        `simulator/carriers/${name}/submissions?${query}`,
      );
      for (const { destination } of page.data) counts.set(destination, (counts.get(destination) ?? 0) + 1);
      cursor = page.next_cursor;
    }
  }
  return counts;
}

/** Where it listens, once it says that it is ready: to people in development, in a line of its log otherwise. */
export function readyUrl(output: string): string | null {
  return /Trunkline is ready at (\S+)/.exec(output)?.[1] ?? /"url":"([^"]+)".*"msg":"ready"/.exec(output)?.[1] ?? null;
}

/** Starts the built product without waiting for anything. */
export function spawnProduct(options: ProductOptions): {
  child: ChildProcess;
  output: () => string;
  exited: Promise<number | null>;
} {
  const main = join(process.cwd(), 'dist', 'main.js');
  if (!existsSync(main)) throw new Error('the product is not built: run the tests with npm test');
  const { npmScript, args = ['--dev'] } = options;
  const [program, words] = npmScript
    ? ['npm', ['run', npmScript]]
    : [process.execPath, ['--enable-source-maps', main, ...args]];
  const child = spawn(program, words, {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DATA_DIR: options.dataDir,
      PORT: '0',
      DEMO_ACCOUNT_SID: DEMO_SID,
      DEMO_AUTH_TOKEN: DEMO_TOKEN,
      OPERATOR_TOKEN,
      SECRETS_KEY: 'a-key-for-the-secrets-of-these-tests',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.ownGroup ?? false,
  });
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, output: () => text, exited };
}

async function operatorRequest<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${url}/v1/operator/${path}`, {
    method,
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** The processes below one, as the kernel knows them now. */
export async function descendants(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const text = await readFile(path, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  const below = await Promise.all(children.map(descendants));
  return [...children, ...below.flat()];
}

/** The server of a data directory, and its processes. */
export async function postgresOf(dataDir: string): Promise<number[]> {
  const file = join(dataDir, 'postgres', 'data', 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  // A product whose server died puts its own id there until the server is back.
  return pid > 1 && (await isPostgres(pid)) ? [pid, ...(await descendants(pid))] : [];
}

async function isPostgres(pid: number): Promise<boolean> {
  return basename(await readlink(`/proc/${pid}/exe`).catch(() => '')).startsWith('postgres');
}

/** Whether a process runs; one that is dead and waits for somebody to ask how it ended does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

function isZombie(pid: number): boolean {
  try {
    // The state follows the program's name, which is in parentheses and may hold anything.
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, ''));
  } catch {
    return false;
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it went first
  }
}

async function within<T>(promise: Promise<T>, ms: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what()}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
