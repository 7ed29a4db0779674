import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type DataDirLock, lockDataDir } from '../../src/platform/embedded-postgres/data-dir-lock.js';
import { RedisServer } from '../../src/platform/queues/redis-server.test-support.js';
import { OPERATOR_TOKEN } from '../support/product.js';
import { CARRIER_PASSWORD, CarrierProcess } from './carrier-process.js';
import { Database } from './database.js';
import type { Disk } from './disk.js';
import type { RoundPlan } from './plan.js';
import { freePort } from './ports.js';
import { type Crash, ProductProcess } from './product-process.js';
import { Receivers } from './receivers.js';
import type { Operator } from './tenants.js';

const REQUEST_TIMEOUT_MS = 120_000;
const OPERATOR_PATIENCE_MS = 180_000;
const OPERATOR_PAUSE_MS = 250;
export const CARRIER_NAMES = ['near', 'far', 'spare'];

/** Everything that runs, and can be killed. */
export class Stage {
  readonly crashes: Crash[] = [];
  readonly database: Database;
  apis: ProductProcess[] = [];
  workers: ProductProcess[] = [];
  private lock: DataDirLock | null = null;

  private constructor(
    private readonly dir: string,
    readonly disk: Disk,
    readonly carriers: readonly CarrierProcess[],
    readonly receivers: Receivers,
    /** Null where none is installed. */
    readonly redis: RedisServer | null,
    log: (line: string) => void,
  ) {
    this.database = new Database(disk.path, log);
  }

  /** Brings up what every round uses: the carriers, the customers' endpoints, Redis. */
  static async set(dir: string, disk: Disk, withRedis: boolean, log: (line: string) => void): Promise<Stage> {
    const carriers = await Promise.all(CARRIER_NAMES.map((name) => CarrierProcess.start(name, join(dir, 'carriers'))));
    const redis = withRedis ? await RedisServer.start() : null;
    return new Stage(dir, disk, carriers, await Receivers.start(), redis, log);
  }

  /** Starts the product as a round wants it, and waits until it is ready. */
  async open(plan: RoundPlan): Promise<void> {
    const common = {
      OPERATOR_TOKEN,
      SECRETS_KEY: 'a-key-for-the-secrets-of-this-torture',
      WEBHOOK_ALLOWED_CIDRS: '127.0.0.0/8',
      ...(plan.withRedis && this.redis ? { REDIS_URL: this.redis.url } : {}),
    };
    if (plan.shape === 'whole') {
      this.apis = [await this.process('whole', { ...common, DATA_DIR: this.disk.path })];
      this.workers = [];
    } else {
      this.lock = await lockDataDir(this.disk.path);
      await this.database.serve();
      const env = { ...common, DATABASE_URL: this.database.url(plan.isDatabaseProxied) };
      this.apis = await this.several(plan.apis, 'api', env);
      this.workers = await this.several(plan.workers, 'worker', env);
    }
    for (const [index, carrier] of this.carriers.entries()) carrier.put(plan.knobs[index] ?? {});
    for (const each of this.processes) each.start();
    await Promise.all(this.processes.map((each) => each.ready()));
  }

  get processes(): readonly ProductProcess[] {
    return [...this.apis, ...this.workers];
  }

  /** Everything that was killed or spoilt is well again. */
  async heal(): Promise<void> {
    await this.disk.empty();
    this.receivers.isFailing = false;
    for (const proxy of [this.receivers.proxy, this.database.proxy, ...this.carriers.map((each) => each.proxy)]) {
      proxy?.clear();
    }
    for (const each of [...this.processes, ...this.carriers]) each.signal('SIGCONT');
    await Promise.all(this.carriers.map((carrier) => carrier.resume()));
    for (const carrier of this.carriers) carrier.put({ latency_ms: 0, error_rate: 0, throttle_tps: 0 });
    await Promise.all(this.processes.map((each) => each.ready()));
  }

  /** Ends the product of a round; the data stay. */
  async close(): Promise<void> {
    await Promise.all(this.processes.map((each) => each.stop()));
    await this.database.stop();
    await this.lock?.release();
    this.lock = null;
  }

  async stop(): Promise<void> {
    await this.close();
    await Promise.all(this.carriers.map((carrier) => carrier.stop()));
    await this.receivers.stop();
    await this.redis?.stop();
  }

  /** Calls the operator's API until it is answered with success. */
  readonly operator: Operator = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const deadline = Date.now() + OPERATOR_PATIENCE_MS;
    for (;;) {
      const answer = await this.operatorOnce(method, path, body).catch((error: unknown) => String(error));
      if (typeof answer !== 'string' && answer.ok) {
        const text = await answer.text();
        return (text === '' ? undefined : JSON.parse(text)) as T;
      }
      const said = typeof answer === 'string' ? answer : `${answer.status} ${await answer.text()}`;
      const isFinal = typeof answer !== 'string' && answer.status < 500 && answer.status !== 429;
      if (isFinal || Date.now() > deadline) throw new Error(`${method} ${path} was answered: ${said}`);
      await delay(OPERATOR_PAUSE_MS);
    }
  };

  private operatorOnce(method: string, path: string, body: unknown): Promise<Response> {
    const api = this.apis.find((each) => each.isUp) ?? this.apis[0]!;
    return fetch(`${api.url}/v1/operator/${path}`, {
      method,
      headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
  }

  private several(count: number, role: 'api' | 'worker', env: Record<string, string>): Promise<ProductProcess[]> {
    const names = Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
    return Promise.all(
      names.map((name) => this.process(name, { ...env, ROLES: role, DATA_DIR: join(this.dir, name) })),
    );
  }

  private async process(name: string, env: Record<string, string>): Promise<ProductProcess> {
    return new ProductProcess({
      name,
      env: { ...env, PORT: String(await freePort()) },
      log: join(this.dir, 'logs', `${name}.log`),
      onCrash: (crash) => this.crashes.push(crash),
    });
  }
}

/** Carriers and routes: two that are preferred by country, and one for what neither takes. */
export async function connectCarriers(operator: Operator, carriers: readonly CarrierProcess[]): Promise<void> {
  for (const [index, carrier] of carriers.entries()) {
    await operator('POST', 'carriers', {
      name: carrier.name,
      type: 'smpp',
      host: '127.0.0.1',
      port: carrier.proxy.port,
      system_id: carrier.name,
      password: CARRIER_PASSWORD,
      bind: index === 1 ? 'transmitter_receiver' : 'transceiver',
      window: 50,
    });
  }
  const [near, far, spare] = CARRIER_NAMES;
  await operator('POST', 'routes', { prefix: '+1', carrier: near, priority: 10, weight: 1 });
  await operator('POST', 'routes', { prefix: '+44', carrier: far, priority: 10, weight: 1 });
  for (const prefix of ['+1', '+44'])
    await operator('POST', 'routes', { prefix, carrier: spare, priority: 20, weight: 1 });
}
