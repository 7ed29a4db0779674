import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POLL_MS = 20;
const FAST_SHUTDOWN_MS = 30_000;
const IMMEDIATE_SHUTDOWN_MS = 10_000;
const KILL_MS = 10_000;
const CHILDREN_EXIT_MS = 3_000;

/** What a running server writes about itself into `postmaster.pid`. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/** Reads `postmaster.pid` of the database in `pgdata`; undefined when there is none, or it is not yet whole. */
export async function readPostmasterFile(pgdata: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(() => '');
  // Lines, by PostgreSQL's miscadmin.h: pid, data directory, start time, port, socket directory, address, shared
  // memory key, status.
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

/** Whether the process is a living PostgreSQL process on this very data directory, and not another with its pid. */
export async function isServing(pid: number, pgdata: string): Promise<boolean> {
  if (process.platform === 'linux') {
    // Every PostgreSQL process works in its data directory; a dead one that nobody reaped has none.
    const [cwd, program] = await Promise.all([link(`/proc/${pid}/cwd`), link(`/proc/${pid}/exe`)]);
    return cwd === pgdata && /^postgres\b/.test(basename(program));
  }
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({ stdout: '' }));
  return stdout.includes(`-D ${pgdata}`);
}

/**
 * Makes a `postmaster.pid` that a dead server left harmless where its pid now belongs to a stranger, which PostgreSQL
 * would take for a running server. The file is kept: PostgreSQL finds in it whether orphans of the dead server still
 * use the shared memory. A pid of its own parent it knows to be stale.
 */
export async function disownStaleFile(pgdata: string): Promise<void> {
  const path = join(pgdata, 'postmaster.pid');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text !== undefined) await writeFile(path, text.replace(/^\d+/, String(process.pid)));
}

/** A server to be stopped. */
export interface RunningServer {
  readonly pid: number;
  readonly pgdata: string;
  /** Whether that process is still the server. */
  isRunning(): Promise<boolean>;
}

/**
 * Stops a server and everything it started: fast, then immediate, then by force, each in bounded time.
 * Resolves when nothing is left; throws when even force did not help.
 */
export async function stopServer(server: RunningServer, warn: (message: string) => void): Promise<void> {
  const { pid, pgdata } = server;
  const steps = [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
    ['SIGKILL', KILL_MS],
  ] as const;
  for (const [signal, limitMs] of steps) {
    if (!(await server.isRunning())) break;
    if (signal !== 'SIGINT') warn(`PostgreSQL (pid ${pid}) is slow to stop: sending ${signal}`);
    send(pid, signal);
    await until(async () => !(await server.isRunning()), limitMs);
  }
  if (await server.isRunning()) throw new Error(`PostgreSQL (pid ${pid}) in ${pgdata} cannot be stopped`);
  await clearOrphans(pgdata);
}

/**
 * Waits for the children of a dead server to end, as they do by themselves unless they are deep in a query, and kills
 * those that stay. Must not be called while a server runs.
 */
export async function clearOrphans(pgdata: string): Promise<void> {
  if (await until(async () => (await findProcesses(pgdata)).length === 0, CHILDREN_EXIT_MS)) return;
  for (const pid of await findProcesses(pgdata)) send(pid, 'SIGKILL');
  await until(async () => (await findProcesses(pgdata)).length === 0, KILL_MS);
}

/** Polls until the condition holds; false when it did not within the time. */
export async function until(condition: () => Promise<boolean>, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** All PostgreSQL processes on this data directory. Only Linux tells; elsewhere they are trusted to end. */
async function findProcesses(pgdata: string): Promise<number[]> {
  if (process.platform !== 'linux') return [];
  const pids = (await readdir('/proc')).map(Number).filter(Number.isSafeInteger);
  const serving = await Promise.all(pids.map((pid) => isServing(pid, pgdata)));
  return pids.filter((_, index) => serving[index]);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function link(path: string): Promise<string> {
  return readlink(path).catch(() => '');
}
