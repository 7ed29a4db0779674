import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Binaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { answers, connectionUrl, ensureDatabase } from './connection.js';
import { guardServer } from './guard.js';
import { type Identity, spawnAs } from './identity.js';
import { clearOrphans, disownStaleFile, isServing, readPostmasterFile, stopServer } from './postmaster.js';
import { KEPT_LOG_FILES, type ServerSettings, serverArguments } from './server-settings.js';
import { clearSocketDirectory } from './socket-directory.js';

/** Where the server's life is told; pino and the console both fit. */
export interface ServerLog {
  info(message: string): void;
  warn(message: string): void;
}

export interface SupervisorOptions {
  readonly binaries: Binaries;
  readonly identity: Identity;
  readonly cluster: Cluster;
  readonly settings: ServerSettings;
  readonly log: ServerLog;
  readonly endsWithProcess: boolean;
}

// Below the range that systems take client ports from: a client that reconnects to a port of that range while the
// server is away can be given the very same port, and then talks to itself.
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;
const PORT_ATTEMPTS = 20;
const LAUNCH_ATTEMPTS = 5;
const LATE_COMER = /could not (bind|create any TCP)|lock file .* already exists/;
// Recovery after a crash reads up to max_wal_size of log before the server answers.
const READY_TIMEOUT_MS = 300_000;
const POLL_MS = 20;
const WATCH_POLL_MS = 50;
const WATCH_ADOPTED_POLL_MS = 500;
const RESTART_DELAY_MS = 50;
const MAX_RESTART_DELAY_MS = 5_000;
const PRUNE_INTERVAL_MS = 60_000;
const MAX_REASON = 2_000;

/** Starts one server, or takes over the one that runs, watches it, restarts it when it dies, and stops it. */
export class Supervisor {
  pid = 0;
  private port = 0;
  private child: ChildProcess | undefined;
  private guard: ChildProcess | undefined;
  private readonly stopping = new AbortController();
  private watching: Promise<void> = Promise.resolve();
  private stopped: Promise<void> | undefined;
  private pruning: NodeJS.Timeout | undefined;

  constructor(private readonly options: SupervisorOptions) {}

  url(): string {
    const url = connectionUrl(this.options.cluster, this.port);
    return this.sockets === '' ? url : `${url}?host=${encodeURIComponent(this.sockets)}`;
  }

  /** Resolves when the server answers; throws with the end of the server's log when it does not start. */
  async start(): Promise<void> {
    await this.adoptOrLaunch();
    try {
      await ensureDatabase(this.options.cluster, this.port);
    } catch (error) {
      await this.stopCurrent();
      throw error;
    }
    this.watching = this.watch();
    this.pruning = setInterval(() => void this.pruneLogs(), PRUNE_INTERVAL_MS).unref();
    await this.pruneLogs();
  }

  stop(): Promise<void> {
    this.stopped ??= this.shutDown();
    return this.stopped;
  }

  private get pgdata(): string {
    return this.options.cluster.pgdata;
  }

  /** The directory of its sockets; empty: none. */
  private get sockets(): string {
    return this.options.settings.unix_socket_directories ?? '';
  }

  private async shutDown(): Promise<void> {
    this.stopping.abort();
    clearInterval(this.pruning);
    await this.watching;
    await this.stopCurrent();
    this.guard?.kill('SIGKILL');
  }

  /** Takes over a server that an earlier process left, if it answers and is set as we want it; else stops it. */
  private async adopt(): Promise<boolean> {
    const { cluster, log } = this.options;
    this.child = undefined;
    const left = await readPostmasterFile(this.pgdata);
    if (!left) return false;
    if (!(await isServing(left.pid, this.pgdata))) {
      await disownStaleFile(this.pgdata);
      return false;
    }
    if (left.ready && (await this.isSetAsWanted(left.port)) && (await answers(cluster, left.port))) {
      log.info(`took over PostgreSQL (pid ${left.pid}, port ${left.port}) from an earlier run`);
      this.pid = left.pid;
      this.port = left.port;
      this.replaceGuard();
      return true;
    }
    log.warn(`replacing PostgreSQL (pid ${left.pid}), which an earlier run left`);
    this.pid = left.pid;
    await this.stopCurrent();
    return false;
  }

  /** `postmaster.opts` holds the command line of the running server, each argument in double quotes. */
  private async isSetAsWanted(port: number): Promise<boolean> {
    const { binaries, settings } = this.options;
    const wanted = [binaries.postgres, ...serverArguments(this.pgdata, port, settings).map((arg) => `"${arg}"`)];
    const running = await readFile(join(this.pgdata, 'postmaster.opts'), 'utf8').catch(() => '');
    return running.trim() === wanted.join(' ');
  }

  private async adoptOrLaunch(): Promise<void> {
    for (let attempt = 1; !(await this.adopt()); attempt++) {
      this.port = await findFreePort();
      try {
        return await this.launch();
      } catch (error) {
        // Since we looked, another process took the port, or a server that was being started showed itself.
        if (attempt >= LAUNCH_ATTEMPTS || !LATE_COMER.test(String(error))) throw error;
      }
    }
  }

  private async launch(): Promise<void> {
    const { binaries, identity, settings, cluster } = this.options;
    await clearOrphans(this.pgdata);
    if (this.sockets !== '') await clearSocketDirectory(this.sockets);
    const output = await open(join(cluster.home, 'start.log'), 'w', 0o600);
    try {
      const args = serverArguments(this.pgdata, this.port, settings);
      const stdio = ['ignore', output.fd, output.fd] as const;
      const child = spawnAs(identity, binaries.postgres, args, { detached: true, stdio: [...stdio] });
      child.unref();
      await spawned(child);
      this.child = child;
      this.pid = child.pid ?? 0;
      this.replaceGuard();
    } finally {
      await output.close();
    }
    await this.untilReady(this.child);
  }

  private async untilReady(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline && !this.stopping.signal.aborted) {
      if (hasEnded(child)) throw new Error(`PostgreSQL did not start in ${this.pgdata}: ${await this.lastWords()}`);
      const file = await readPostmasterFile(this.pgdata);
      if (file?.pid === child.pid && file?.ready && (await answers(this.options.cluster, this.port))) return;
      await delay(POLL_MS);
    }
    await this.stopCurrent();
    throw new Error(`PostgreSQL in ${this.pgdata} was not ready in ${READY_TIMEOUT_MS} ms`);
  }

  private async watch(): Promise<void> {
    while (await this.untilDead()) {
      this.options.log.warn(`PostgreSQL (pid ${this.pid}) ended unexpectedly: restarting it`);
      await this.restart();
    }
  }

  /** True when the server died; false when it is to be stopped. */
  private async untilDead(): Promise<boolean> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      if (!(await this.isRunning())) return true;
      await sleepUnless(signal, this.child ? WATCH_POLL_MS : WATCH_ADOPTED_POLL_MS);
    }
    return false;
  }

  /** Tries for as long as we run, ever more slowly: what keeps it down, such as a full disk, may pass. */
  private async restart(): Promise<void> {
    const { log } = this.options;
    const { signal } = this.stopping;
    for (let waitMs = RESTART_DELAY_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, MAX_RESTART_DELAY_MS)) {
      try {
        await disownStaleFile(this.pgdata);
        await this.launch();
        return log.info(`PostgreSQL is back (pid ${this.pid}, port ${this.port})`);
      } catch (error) {
        if (!signal.aborted) log.warn(String(error));
        await sleepUnless(signal, waitMs);
      }
    }
  }

  private replaceGuard(): void {
    this.guard?.kill('SIGKILL');
    if (this.options.endsWithProcess) this.guard = guardServer(this.pid);
  }

  /** Our own child is known by its handle from the first moment; one that was taken over, by where it works. */
  private async isRunning(): Promise<boolean> {
    return this.child ? !hasEnded(this.child) : isServing(this.pid, this.pgdata);
  }

  private async stopCurrent(): Promise<void> {
    const server = { pid: this.pid, pgdata: this.pgdata, isRunning: () => this.isRunning() };
    await stopServer(server, (message) => this.options.log.warn(message));
  }

  /** The end of what the server wrote: to its error output, which it leaves early, and then to its log file. */
  private async lastWords(): Promise<string> {
    const files = [join(this.options.cluster.home, 'start.log'), ...(await this.logFiles()).slice(-1)];
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
    return texts.join('\n').trim().slice(-MAX_REASON);
  }

  private async pruneLogs(): Promise<void> {
    const old = (await this.logFiles()).slice(0, -KEPT_LOG_FILES);
    await Promise.all(old.map((file) => rm(file, { force: true }).catch(() => undefined)));
  }

  /** The server's log files, oldest first: their names hold the time. */
  private async logFiles(): Promise<string[]> {
    const directory = join(this.pgdata, 'log');
    const names = await readdir(directory).catch(() => []);
    return names.sort().map((name) => join(directory, name));
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function spawned(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

/** Waits without keeping the process alive, and returns early when the signal is given. */
async function sleepUnless(signal: AbortSignal, waitMs: number): Promise<void> {
  await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
}

async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${FIRST_PORT} and ${LAST_PORT} on 127.0.0.1`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
