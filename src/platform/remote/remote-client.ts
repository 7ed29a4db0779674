import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { Failure } from '../../shared/failure.js';
import type { ReadableLog } from '../event-log/readable-log.js';
import { leftMs, tracesUnderWay } from './call-budget.js';
import { LOGS, LogAccess, logContract, WAIT_MS } from './log-access.js';
import { RemoteLog } from './remote-log.js';
import {
  BUDGET_HEADER,
  type ContractSchemas,
  decodeFailure,
  MAX_BODY_BYTES,
  MAX_TRACES,
  resultBody,
  TRACES_HEADER,
} from './wire.js';

export interface RemoteClientOptions {
  /** Where the other process serves, `http://host:port`. */
  readonly origin: string;
  /** The secret that both know. */
  readonly secret: string;
  /** What a call may take that runs under no budget, or a longer one. */
  readonly callTimeoutMs?: number;
  /** Calls under way at once; others wait for their turn. */
  readonly connections?: number;
  /** Calls that wait for their turn; one more is refused as `unavailable`. */
  readonly maxQueued?: number;
}

const CALL_TIMEOUT_MS = 5_000;
const CONNECTIONS = 32;
const MAX_QUEUED = 1_000;
const MAX_ATTEMPTS = 5;
const BACKOFF_MIN_MS = 20;
const BACKOFF_MAX_MS = 250;
const KEEP_ALIVE_MS = 4_000;

type Call = (argument: unknown) => Promise<unknown>;

/**
 * Calls contracts, and reads event logs, that another process of the product serves. A call whose answer is lost is made
 * again while its budget lasts: every call of a contract may be repeated. What stays unreachable is a Failure
 * `unavailable`, as in process a database that is gone would be.
 */
export class RemoteClient {
  private readonly pool: Pool;
  private readonly authorization: string;
  private readonly timeoutMs: number;
  private readonly maxUnderWay: number;
  private underWay = 0;
  private isClosed = false;

  constructor(options: RemoteClientOptions) {
    const { connections = CONNECTIONS, maxQueued = MAX_QUEUED } = options;
    this.pool = new Pool(options.origin, {
      connections,
      pipelining: 1,
      // Shorter than the other side keeps them, so that none is used that is being closed there.
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxResponseSize: MAX_BODY_BYTES,
    });
    this.authorization = `Bearer ${options.secret}`;
    this.timeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
    this.maxUnderWay = connections + maxQueued;
  }

  /** A contract that is implemented elsewhere: an instance of its abstract class whose calls cross the network. */
  contract<Api extends object>(
    type: abstract new () => Api,
    name: string,
    schemas: ContractSchemas<Api>,
    timeoutMs = this.timeoutMs,
  ): Api {
    const api: Record<string, Call> = Object.create(type.prototype);
    for (const call of Object.keys(schemas) as (keyof Api & string)[]) {
      const { output } = schemas[call];
      api[call] = async (argument) => {
        const result = output.safeParse(await this.call(`/${name}/${call}`, argument, Math.min(timeoutMs, leftMs())));
        if (!result.success) throw new Error(`${name}.${call} answered what its contract does not know`);
        return result.data;
      };
    }
    return api as Api;
  }

  /** The event log of a module that is kept elsewhere. */
  log(module: string): ReadableLog {
    const timeoutMs = WAIT_MS + this.timeoutMs;
    return new RemoteLog(module, this.contract<LogAccess>(LogAccess, LOGS + module, logContract, timeoutMs));
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.pool.destroy();
  }

  private async call(path: string, argument: unknown, budgetMs: number): Promise<unknown> {
    if (this.underWay >= this.maxUnderWay) throw unavailable(path, 'too many calls wait for it');
    const deadline = performance.now() + budgetMs;
    const body = JSON.stringify({ argument });
    this.underWay += 1;
    try {
      return await this.insist(path, body, deadline);
    } finally {
      this.underWay -= 1;
    }
  }

  private async insist(path: string, body: string, deadline: number): Promise<unknown> {
    let trouble: unknown = 'its time was over before it began';
    for (let attempt = 0; attempt < MAX_ATTEMPTS && !this.isClosed; attempt++) {
      const budgetMs = Math.floor(deadline - performance.now());
      if (budgetMs <= 0) break;
      let answer: { status: number; body: unknown };
      try {
        answer = await this.attempt(path, body, budgetMs);
      } catch (error) {
        trouble = (error as Error).message;
        const backoffMs = Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** attempt);
        if (backoffMs >= deadline - performance.now()) break;
        await delay(backoffMs);
        continue;
      }
      return resultOf(path, answer);
    }
    throw unavailable(path, trouble);
  }

  private async attempt(path: string, body: string, budgetMs: number): Promise<{ status: number; body: unknown }> {
    const traces = tracesUnderWay();
    const response = await this.pool.request({
      method: 'POST',
      path,
      headers: {
        authorization: this.authorization,
        'content-type': 'application/json',
        [BUDGET_HEADER]: String(budgetMs),
        ...(traces.length === 0 ? {} : { [TRACES_HEADER]: traces.slice(0, MAX_TRACES).join() }),
      },
      body,
      signal: AbortSignal.timeout(budgetMs),
    });
    return { status: response.statusCode, body: await response.body.json() };
  }
}

function resultOf(path: string, { status, body }: { status: number; body: unknown }): unknown {
  if (status === 200) return resultBody.parse(body).result;
  const failure = decodeFailure(body);
  if (failure) throw failure;
  // Another secret or another version there: nothing about the call is wrong, and it may be mended while this runs.
  if (status === 401 || status === 404) throw unavailable(path, `refused with ${status}`);
  throw new Error(`${path} failed where it is served, with ${status}`);
}

function unavailable(path: string, reason: unknown): Failure {
  return new Failure('unavailable', { detail: `${path} cannot be reached: ${reason}`, retryAfterSeconds: 1 });
}
