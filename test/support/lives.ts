import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readMessage } from './api.js';
import { eventually } from './eventually.js';
import { Load } from './load.js';
import { processesUsing } from './processes.js';
import { type DataDir, descendants, isAlive, type Product, postgresOf, startProduct } from './product.js';

const UNDER_LOAD = 100;

/**
 * The product in the hands of tests that end it in many ways, on one data directory: each begins with what the one before
 * it has left, running or not, in good order.
 */
export class Lives {
  /** What a test that fails leaves running. */
  private running: Product | undefined;
  private isLeft = false;

  constructor(readonly dir: DataDir) {}

  /** The product that a test before has left running, or a new start of it, in a process group of its own. */
  async begin(): Promise<Product> {
    if (this.running && this.isLeft) {
      this.isLeft = false;
      return this.running;
    }
    return this.start();
  }

  /** A new start of it; the one before has ended. */
  async start(npmScript?: string): Promise<Product> {
    this.isLeft = false;
    this.running = await startProduct({ dataDir: this.dir.path, ownGroup: true, npmScript });
    return this.running;
  }

  /** Leaves it running for the next test: nothing is under way in it. */
  leave(): void {
    this.isLeft = true;
  }

  /** Whatever a test has not left on purpose is ended. */
  async tidy(): Promise<void> {
    if (!this.isLeft) await this.end();
  }

  /** Ends what is running. */
  async end(): Promise<void> {
    await this.running?.killEverything().catch(() => undefined);
    this.running = undefined;
    this.isLeft = false;
  }
}

/** Sends until the product is under load. */
export async function underLoad(product: Product): Promise<Load> {
  const load = new Load(product.url);
  await eventually(() => load.accepted.length >= UNDER_LOAD, { timeoutMs: 60_000, what: 'it is under load' });
  return load;
}

/** Refusals other than for being too busy, or on the way out. */
export function errorsOf(load: Load): readonly unknown[] {
  return load.refused.filter(({ status }) => status !== 503);
}

/** Everything that belongs to a product at this moment. */
export async function processesOf(product: Product): Promise<number[]> {
  return [product.pid, ...(await descendants(product.pid)), ...(await postgresOf(product.dataDir))];
}

/** None of the processes is left, nor any other one that uses the data directory, nor what marks it as used. */
export async function expectNothingLeft(dir: DataDir, pids: readonly number[]): Promise<void> {
  expect(pids.filter(isAlive)).toEqual([]);
  expect(await processesUsing(dir.path)).toEqual([]);
  expect(await readdir(join(dir.path, 'lock'))).toEqual([]);
  expect(existsSync(join(dir.path, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
}

/** Connections that were still open when PostgreSQL was told to stop (not killed), as its own log has them. */
export async function cutConnections(dir: DataDir): Promise<string[]> {
  const logs = join(dir.path, 'postgres', 'data', 'log');
  const texts = await Promise.all((await readdir(logs)).map((name) => readFile(join(logs, name), 'utf8')));
  const lines = texts.join('\n').split('\n');
  expect(lines.filter((line) => line.includes('database system is shut down'))).not.toEqual([]);
  return lines.filter((line) => /terminating connection(?! due to unexpected postmaster exit)/.test(line));
}

/** How a message may end where its carrier's answer was lost: the account's policy is the default, to fail. */
export const LOST = 'failed 30008';

/**
 * Every promise is kept: each message is there, all become final in one of the given ways, and the modules agree on
 * them.
 */
export async function expectKept(product: Product, sids: readonly string[], ends: readonly string[]): Promise<void> {
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
