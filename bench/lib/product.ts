import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/embedded-postgres.js';
import type { Cleanup } from './cleanup.js';
import { postmasterOf } from './processes.js';
import { troublesOf } from './product-log.js';
import { getJson, type Sender } from './requests.js';
import { startTraceSink } from './trace-sink.js';
import { waitFor } from './wait.js';

const PROJECT = join(import.meta.dirname, '../..');
/** Those of `npm start`. */
const NODE_FLAGS = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')).scripts.start.match(
  /--\S+/g,
) as string[];
const OPERATOR_TOKEN = 'operator-token-of-the-bench';
const SECRETS_KEY = 'a-key-for-the-secrets-of-the-bench';
const READY_MS = 120_000;
const STOP_MS = 40_000;
const BOUND_MS = 20_000;
const STALL_MS = 60_000;
const SETTLE_LOOK_MS = 50;
const CREDIT = 10_000_000;
/** Of one segment, in micro-units. */
export const PRICE_MICROS = 7_500;
const MICROS_PER_UNIT = 1_000_000;
const LIMITS = { messages_per_second: 1_000_000, messages_per_minute: 10_000_000, messages_per_day: 1_000_000_000 };

export interface ProductOptions {
  readonly redisUrl: string | null;
  /** Where it leaves a profile of its CPU when it stops. */
  readonly profileDir: string | null;
}

export interface CarrierOptions {
  readonly name: string;
  readonly port: number;
  readonly systemId?: string;
  readonly password?: string;
  readonly bind?: 'transceiver' | 'transmitter_receiver';
  readonly window?: number;
  readonly tps?: number | null;
}

export interface Balance {
  readonly balance: string;
  readonly reserved: string;
}

interface ConsumerPosition {
  readonly id: string;
  readonly lag: number;
}

export interface Audit {
  readonly ok: boolean;
  readonly pending: number;
  readonly violations: readonly unknown[];
}

/** The product as it ships, in a process of its own, with a database of its own and its log in a file. */
export class Product {
  private constructor(
    readonly url: string,
    readonly dataDir: string,
    private readonly child: ChildProcess,
    private readonly logFile: string,
  ) {}

  static async start(options: ProductOptions, cleanup: Cleanup): Promise<Product> {
    const home = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
    cleanup.add(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
    return Product.startIn(home, options, cleanup);
  }

  private static async startIn(home: string, options: ProductOptions, cleanup: Cleanup): Promise<Product> {
    const dataDir = join(home, 'data');
    const logFile = join(home, 'log');
    const traceSink = await startTraceSink(cleanup);
    const log = openSync(logFile, 'w');
    const main = join(PROJECT, 'dist/main.js');
    const { profileDir } = options;
    const profiling = profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    const child = spawn(process.execPath, [...NODE_FLAGS, ...profiling, main], {
      cwd: home,
      env: environmentOf(options, dataDir, traceSink),
      stdio: ['ignore', log, log],
      // A terminal's Ctrl-C is the harness's to hear: it stops what it started, in order.
      detached: true,
    });
    closeSync(log);
    cleanup.add(() => stop(child));
    const url = await waitFor(
      () => {
        const text = readFileSync(logFile, 'utf8');
        if (child.exitCode !== null) throw new Error(`the product ended at its start:\n${text}`);
        return /"url":"([^"]+)".*"msg":"ready"/.exec(text)?.[1];
      },
      { what: 'the product is ready', timeoutMs: READY_MS },
    );
    const product = new Product(url, dataDir, child, logFile);
    await product.operator('POST', 'rates', { prefix: '', price: String(PRICE_MICROS / MICROS_PER_UNIT) });
    return product;
  }

  get pid(): number {
    return this.child.pid!;
  }

  postmaster(): Promise<number> {
    return postmasterOf(this.dataDir);
  }

  /** The superuser's address of its embedded database. */
  async databaseUrl(): Promise<string> {
    const home = join(this.dataDir, 'postgres');
    const password = (await readFile(join(home, 'password'), 'utf8')).trim();
    const port = (await readFile(join(home, 'data', 'postmaster.pid'), 'utf8')).split('\n')[3];
    return `postgresql://trunkline:${password}@127.0.0.1:${port}/trunkline`;
  }

  /** Stops it, has something done to its database, and starts it again: elsewhere, with what it had. */
  async restart(
    options: ProductOptions,
    cleanup: Cleanup,
    work: (databaseUrl: string) => Promise<void>,
  ): Promise<Product> {
    await stop(this.child);
    const quiet = { info: () => undefined, warn: () => undefined };
    const server = await startEmbeddedPostgres({ dataDir: this.dataDir, log: quiet, endsWithProcess: true });
    cleanup.add(() => server.stop());
    try {
      await work(server.url);
    } finally {
      await server.stop();
    }
    return Product.startIn(join(this.dataDir, '..'), options, cleanup);
  }

  async operator<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/v1/operator/${path}`, {
      method,
      headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Accounts with a number, credit and no limit that a load would reach. */
  async openTenants(count: number): Promise<Sender[]> {
    const senders: Sender[] = [];
    for (let index = 0; index < count; index++) senders.push(await this.openTenant());
    return senders;
  }

  private opened = 0;

  private async openTenant(): Promise<Sender> {
    const index = this.opened++;
    const account = await this.operator<{ sid: string; auth_token: string }>('POST', 'accounts', {
      friendly_name: `bench ${index}`,
      tier: 'enterprise',
    });
    for (const [limit, value] of Object.entries(LIMITS)) {
      // A limit that this version does not have cannot be in the way.
      await this.operator('PATCH', `accounts/${account.sid}`, { [limit]: value }).catch(() => undefined);
    }
    const from = `+1500555${String(1_000 + index)}`;
    await this.operator('POST', `accounts/${account.sid}/phone-numbers`, { phone_number: from });
    await this.operator('POST', `accounts/${account.sid}/credits`, { amount: String(CREDIT), key: 'bench' });
    return { sid: account.sid, token: account.auth_token, from };
  }

  /** Defines a carrier that everything goes to, and waits until it is bound. */
  async addCarrier(options: CarrierOptions): Promise<void> {
    const { name, port, bind = 'transceiver', window = 200, tps = null } = options;
    await this.operator('POST', 'carriers', {
      name,
      type: 'smpp',
      host: '127.0.0.1',
      port,
      system_id: options.systemId ?? 'bench',
      password: options.password ?? 'bench',
      bind,
      window,
      tps,
    });
    await this.operator('POST', 'routes', { prefix: '', carrier: name });
    await this.bound(name);
  }

  /** Waits until a carrier is bound. */
  async bound(name: string): Promise<void> {
    await waitFor(
      async () => {
        const { session } = await this.operator<{ session: { phase: string } }>('GET', `carriers/${name}`);
        return session.phase === 'bound';
      },
      { what: `the carrier ${name} is bound`, timeoutMs: BOUND_MS },
    );
  }

  async pace(carrier: string, tps: number | null): Promise<void> {
    await this.operator('PATCH', `carriers/${carrier}`, { tps });
  }

  balanceOf(sender: Sender): Promise<Balance> {
    return getJson<Balance>(this.url, '/v1/balance', sender);
  }

  /** Messages that are charged to these accounts, by their balances. */
  async charged(senders: readonly Sender[]): Promise<number> {
    let micros = 0;
    for (const sender of senders) {
      const { balance } = await this.balanceOf(sender);
      micros += CREDIT * MICROS_PER_UNIT - Math.round(Number(balance) * MICROS_PER_UNIT);
    }
    return Math.round(micros / PRICE_MICROS);
  }

  /**
   * Waits until nothing is reserved for these accounts: every message that they sent is final and settled. Throws when
   * nothing moved for a minute.
   */
  async settled(senders: readonly Sender[]): Promise<void> {
    let reserved = Number.POSITIVE_INFINITY;
    let movedAt = performance.now();
    while (reserved > 0) {
      // A look that a busy product refuses says nothing.
      const balances = await Promise.all(senders.map((sender) => this.balanceOf(sender).catch(() => null)));
      const left = balances.includes(null) ? reserved : balances.reduce((sum, each) => sum + Number(each!.reserved), 0);
      if (left !== reserved) movedAt = performance.now();
      reserved = left;
      if (performance.now() - movedAt > STALL_MS) {
        const messages = Math.round((left * MICROS_PER_UNIT) / PRICE_MICROS);
        throw new Error(`${messages} messages are not settled, and nothing moved for ${STALL_MS / 1_000} s`);
      }
      if (reserved > 0) await delay(SETTLE_LOOK_MS);
    }
  }

  /** Waits until every durable consumer has read its log to the end. */
  async caughtUp(timeoutMs: number): Promise<void> {
    await waitFor(
      async () => {
        const { data } = await this.operator<{ data: ConsumerPosition[] }>('GET', 'consumers');
        return data.every(({ lag }) => lag === 0);
      },
      { what: 'every consumer is at the end of its log', timeoutMs, everyMs: 100 },
    );
  }

  audit(): Promise<Audit> {
    return this.operator('GET', 'audit');
  }

  /** The sum of a metric over its labels, or over those that match. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Warnings and errors of its log, most frequent first. */
  troubles(): Promise<string[]> {
    return troublesOf(this.logFile);
  }
}

function environmentOf({ redisUrl }: ProductOptions, dataDir: string, traceSink: string | null): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'info',
    OPERATOR_TOKEN,
    SECRETS_KEY,
    WEBHOOK_ALLOWED_CIDRS: '127.0.0.0/8',
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    ...(traceSink === null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: traceSink }),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}
