import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import { isSampled, isTraceparent, stageSpan } from '../../shared/traceparent.js';
import type { RunnerLog } from '../event-log/effect.js';
import type { ReadableLog } from '../event-log/readable-log.js';
import type { Traces } from '../telemetry/traces.js';
import { within } from '../telemetry/within.js';
import { withBudget } from './call-budget.js';
import { LOGS, logContract, ServedLog } from './log-access.js';
import {
  BUDGET_HEADER,
  type ContractSchemas,
  encodeError,
  MAX_BODY_BYTES,
  MAX_TRACES,
  requestBody,
  TRACES_HEADER,
} from './wire.js';

const MAX_CONCURRENT = 512;
/** A caller that names no budget, or a longer one. */
const MAX_BUDGET_MS = 60_000;

interface Exposed {
  readonly input: z.ZodType;
  readonly call: (argument: unknown) => Promise<unknown>;
}

/** An answer in place of a result. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly body: object = {},
  ) {
    super(`refused with ${status}`);
  }
}

const BUSY = { failure: 'unavailable', options: { retryAfterSeconds: 1 } };

/**
 * Serves contracts and event logs to other processes of the product, as JSON over HTTP with a shared secret. For a
 * private network: it speaks no TLS by itself. Arguments are checked against the contract's schemas; what a caller no
 * longer waits for is not begun; more calls than it can hold are refused as `unavailable`.
 */
export class RemoteServer {
  private readonly server: Server;
  private readonly exposed = new Map<string, Exposed>();
  private readonly secret: Buffer;
  private underWay = 0;

  /**
   * @param secret what callers must know; 32 characters or more
   * @param traces where the spans of calls go that are made for sampled requests
   */
  constructor(
    secret: string,
    private readonly logger: RunnerLog,
    private readonly traces: Pick<Traces, 'isOn' | 'record'> | null = null,
  ) {
    if (secret.length < 32) throw new RangeError('the secret must have 32 characters or more');
    this.secret = digest(`Bearer ${secret}`);
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  /** Makes a contract reachable under a name. */
  expose<Api extends object>(name: string, api: Api, schemas: ContractSchemas<Api>): void {
    for (const [call, { input }] of Object.entries(schemas) as [keyof Api & string, { input: z.ZodType }][]) {
      const implementation = api[call] as (argument: unknown) => Promise<unknown>;
      this.exposed.set(`/${name}/${call}`, { input, call: (argument) => implementation.call(api, argument) });
    }
  }

  /** Makes a module's event log readable. */
  exposeLog(log: ReadableLog): void {
    this.expose(LOGS + log.module, new ServedLog(log), logContract);
  }

  /** @returns the port, a free one for 0 */
  async listen(port: number, host: string): Promise<number> {
    this.server.listen(port, host);
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  /** Takes no more calls, and waits for no answer: callers ask again elsewhere. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startMs = Date.now();
    try {
      answer(response, 200, { result: await this.run(request, response) });
      this.trace(request, startMs, null);
    } catch (error) {
      this.trace(request, startMs, error instanceof Error ? error.name : 'unknown');
      if (error instanceof Refusal) return answer(response, error.status, error.body);
      const encoded = encodeError(error);
      if (!encoded) this.logger.error({ err: error, path: request.url }, 'a call from another process failed');
      answer(response, encoded?.status ?? 500, encoded?.body ?? {});
    }
  }

  /** One span in each of the traces that the call was made for. */
  private trace({ url, headers }: IncomingMessage, startMs: number, error: string | null): void {
    const header = headers[TRACES_HEADER];
    if (!this.traces?.isOn || typeof header !== 'string' || !this.exposed.has(url ?? '')) return;
    const traceparents = header.split(',', MAX_TRACES).filter((text) => isTraceparent(text) && isSampled(text));
    const [, name = '', call = ''] = url!.split('/');
    const rest = {
      name: `${name}.${call}`,
      kind: 'server',
      startMs,
      endMs: Date.now(),
      attributes: {},
      error,
    } as const;
    this.traces.record(...traceparents.map((traceparent) => stageSpan(traceparent, 'serve', null, rest)));
  }

  private async run(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), this.secret)) throw new Refusal(401);
    const exposed = this.exposed.get(request.url ?? '');
    if (!exposed || request.method !== 'POST') throw new Refusal(404);
    if (this.underWay >= MAX_CONCURRENT) throw new Refusal(503, BUSY);
    this.underWay += 1;
    try {
      const budgetMs = budgetOf(request);
      const argument = exposed.input.safeParse(argumentOf(await bodyOf(request)));
      if (!argument.success) throw new Refusal(400);
      // The caller may have left while it was read.
      if (response.destroyed) throw new Refusal(503, BUSY);
      return await withBudget(budgetMs, () => within(budgetMs, () => exposed.call(argument.data)));
    } finally {
      this.underWay -= 1;
    }
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function budgetOf(request: IncomingMessage): number {
  const budgetMs = Number(request.headers[BUDGET_HEADER] ?? MAX_BUDGET_MS);
  if (!(budgetMs > 0)) throw new Refusal(503, BUSY);
  return Math.min(budgetMs, MAX_BUDGET_MS);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Refusal(413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function argumentOf(text: string): unknown {
  try {
    return requestBody.parse(JSON.parse(text)).argument;
  } catch {
    throw new Refusal(400);
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  // What was not read of a refused request would be taken for the next one.
  response.writeHead(status, status === 413 ? { ...headers, connection: 'close' } : headers).end(text);
}
