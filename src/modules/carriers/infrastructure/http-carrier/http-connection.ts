import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { OutboundHttpClient } from '../../../../platform/http-client/outbound-http-client.js';
import type { OutboundFailure, OutboundResult } from '../../../../platform/http-client/outbound-result.js';
import type { Logger } from '../../../../platform/tokens.js';
import type {
  CarrierConnection,
  ConnectionHandlers,
  ConnectionState,
  HandOver,
  Outgoing,
} from '../../domain/carrier-connection.js';
import { connectionProblem } from '../../domain/connection-problem.js';
import { UNKNOWN_ERROR } from '../../domain/error-codes.js';
import type { AnswerReader, AnswerReading } from '../../domain/http/answer-reading.js';
import { withExactIds } from '../../domain/http/exact-json.js';
import { idOfKey } from '../../domain/http/submission-id.js';
import type { HttpCall } from './http-call.js';

export interface HttpConnectionOptions {
  readonly name: string;
  /** Messages that may wait for their answer at a time. */
  readonly window: number;
  readonly responseTimeoutMs: number;
  /** The first wait between two checks, doubled with each failure up to the last; from half of it to the whole. */
  readonly recheck: { readonly baseMs: number; readonly maxMs: number };
  /** Where receipts are to be sent; null while this process does not know it yet. */
  readonly receiptUrl: () => string | null;
  /** While it is bound, it is checked again when nothing has proved for so long that it is there. */
  readonly checkIntervalMs: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** How soon it is looked again whether this process knows where it listens. */
const ADDRESS_EVERY_MS = 50;
const MAX_DOUBLINGS = 20;
/** So often a message may be refused as all would be, each time after others were taken: then it is refused itself. */
const MAX_LONE_REFUSALS = 3;
const MAX_REFUSED = 1_000;
/** For so long after the carrier is back, others go before the message for which it went down. */
const OTHERS_FIRST_MS = 2_000;
const BEHIND_MS = 100;

/**
 * A carrier over HTTP. There is no session: it counts as bound while its last check passed, and as down from the moment
 * that it cannot be reached or refuses us (and not the message) until a check passes again. Whether a message got through
 * is proof; before that, one message goes at a time. Where only ever the same message is refused so, it is about that one,
 * whatever the definition says of such answers: it must not keep the carrier from the others.
 */
export class HttpConnection implements CarrierConnection {
  readonly responseTimeoutMs: number;
  private current: ConnectionState = { phase: 'down', error: null };
  private readonly underWay = new Set<Promise<HandOver>>();
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | null = null;
  private failures = 0;
  private isProven = false;
  private provenAtMs = Number.NEGATIVE_INFINITY;
  /** How often each message was refused after others were taken, by its key. */
  private readonly refused = new LRUCache<string, number>({ max: MAX_REFUSED });
  private refusedLast: string | null = null;
  private backAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: HttpConnectionOptions,
    private readonly call: HttpCall,
    private readonly answers: AnswerReader,
    private readonly http: OutboundHttpClient,
    private readonly handlers: Pick<ConnectionHandlers, 'onState'>,
    private readonly logger: Logger,
  ) {
    this.responseTimeoutMs = options.responseTimeoutMs;
  }

  /** A message is one call, however many segments it has: there is room for all of them or for none. */
  get credit(): number {
    if (this.current.phase !== 'bound' || this.stopping.signal.aborted) return 0;
    const most = this.isProven ? this.options.window : 1;
    return this.underWay.size < most ? Number.POSITIVE_INFINITY : 0;
  }

  get state(): ConnectionState {
    return this.current;
  }

  start(): void {
    this.enter('connecting', null);
    void this.check();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    if (this.timer) clearTimeout(this.timer);
    await Promise.all(this.underWay);
    this.enter('down', null);
  }

  /** See CarrierConnection. All segments go in one call, and have one id. */
  handOver(outgoing: Outgoing): Promise<HandOver> {
    // Not at once: it may be offered again at once, here or by way of another carrier.
    if (this.goesBehind(outgoing)) return delay(BEHIND_MS, { kind: 'unsent' });
    const handing = this.submit(outgoing);
    this.underWay.add(handing);
    return handing.finally(() => this.underWay.delete(handing));
  }

  private async submit(outgoing: Outgoing): Promise<HandOver> {
    const receiptUrl = this.options.receiptUrl();
    if (this.credit === 0 || receiptUrl === null) return { kind: 'unsent' };
    const request = this.call.handOver(outgoing, receiptUrl);
    if (!request) return { kind: 'rejected', errorCode: UNKNOWN_ERROR };
    const { responseTimeoutMs: timeoutMs, name: lane } = this.options;
    return this.judge(outgoing, await this.http.request({ ...request, timeoutMs, lane }));
  }

  private judge(outgoing: Outgoing, result: OutboundResult): HandOver {
    if (result.kind === 'failure') return this.judgeFailure(result);
    const reading = this.answers.read(result.status, parseJson(result.body));
    if (reading.result === 'unavailable') return this.judgeRefusal(outgoing, refusal(result.status, reading));
    if (reading.result !== 'unknown') this.prove();
    switch (reading.result) {
      case 'accepted':
        outgoing.messageIds = outgoing.parts.map(() => reading.id ?? idOfKey(outgoing.key));
        return { kind: 'accepted' };
      case 'permanent':
        return { kind: 'rejected', errorCode: reading.errorCode };
      case 'throttled':
      case 'retryable':
        return { kind: reading.result };
      case 'unknown':
        return { kind: 'unknown', reason: 'answered' };
    }
  }

  private judgeRefusal({ key }: Outgoing, problem: string): HandOver {
    const times = (this.refused.get(key) ?? 0) + (this.isProven ? 1 : 0);
    if (times >= MAX_LONE_REFUSALS) {
      this.refused.delete(key);
      return { kind: 'rejected', errorCode: UNKNOWN_ERROR };
    }
    this.refused.set(key, times);
    this.refusedLast = key;
    this.goDown(problem);
    return { kind: 'unsent' };
  }

  /** Whether others are to show first that the carrier takes messages. */
  private goesBehind({ key }: Outgoing): boolean {
    if (this.isProven || this.current.phase !== 'bound' || key !== this.refusedLast) return false;
    return performance.now() - this.backAtMs < OTHERS_FIRST_MS;
  }

  private judgeFailure(failure: OutboundFailure): HandOver {
    if (failure.mayHaveLeft) {
      return { kind: 'unknown', reason: failure.reason === 'timeout' ? 'timeout' : 'disconnected' };
    }
    this.goDown(this.unreachable(failure));
    return { kind: 'unsent' };
  }

  private prove(): void {
    this.isProven = true;
    this.provenAtMs = performance.now();
    this.failures = 0;
    if (this.current.phase === 'bound' && this.current.error !== null) this.enter('bound', null);
  }

  /** What fails meanwhile, and was sent before, says nothing new. */
  private goDown(error: string): void {
    if (this.stopping.signal.aborted || this.current.phase !== 'bound') return;
    this.isProven = false;
    this.failures++;
    this.enter('down', error);
    this.checkLater(this.waitMs());
  }

  private checkLater(waitMs: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.check(), waitMs);
  }

  private async check(): Promise<void> {
    const receiptUrl = this.options.receiptUrl();
    if (receiptUrl === null) {
      this.checkLater(ADDRESS_EVERY_MS);
      return;
    }
    const restMs = this.provenAtMs + this.options.checkIntervalMs - performance.now();
    if (this.current.phase === 'bound' && restMs > 0) {
      this.checkLater(restMs);
      return;
    }
    const { responseTimeoutMs: timeoutMs, name } = this.options;
    const { signal } = this.stopping;
    const result = await this.http.request({
      ...this.call.probe(receiptUrl),
      timeoutMs,
      signal,
      lane: `${name} check`,
    });
    if (signal.aborted) return;
    const problem = this.problemOf(result);
    if (problem === null) {
      this.provenAtMs = performance.now();
      if (this.current.phase !== 'bound') this.backAtMs = this.provenAtMs;
      this.enter('bound', this.current.error);
      this.checkLater(this.options.checkIntervalMs);
    } else if (this.current.phase === 'bound') this.goDown(problem);
    else {
      this.failures++;
      this.enter('down', problem);
      this.checkLater(this.waitMs());
    }
  }

  private problemOf(result: OutboundResult): string | null {
    if (result.kind === 'failure') return this.unreachable(result);
    if (this.call.isProbeBlind || (result.status >= 200 && result.status < 300)) return null;
    const reading = this.answers.read(result.status, parseJson(result.body));
    if (reading.result === 'unavailable') return refusal(result.status, reading);
    return `the carrier answered its check with HTTP ${result.status}`;
  }

  private unreachable({ reason, message }: OutboundFailure): string {
    if (reason === 'timeout') return `no answer from ${this.call.host} within ${this.options.responseTimeoutMs} ms`;
    return `cannot reach ${this.call.host}: ${reason === 'connect' ? connectionProblem(message) : message}`;
  }

  private waitMs(): number {
    const { baseMs, maxMs } = this.options.recheck;
    const wholeMs = Math.min(maxMs, baseMs * 2 ** Math.min(MAX_DOUBLINGS, Math.max(0, this.failures - 1)));
    return wholeMs * (0.5 + this.options.random() / 2);
  }

  private enter(phase: ConnectionState['phase'], error: string | null): void {
    const before = this.current;
    if (before.phase === phase && before.error === error) return;
    this.current = { phase, error };
    const carrier = this.options.name;
    if (phase === 'bound' && before.phase !== 'bound') this.logger.info({ carrier }, 'the carrier can be reached');
    else if (error !== null && error !== before.error) this.logger.info({ carrier }, `the carrier is down: ${error}`);
    this.handlers.onState();
  }
}

function refusal(status: number, reading: AnswerReading): string {
  const code = 'code' in reading && reading.code !== null ? `, code ${reading.code}` : '';
  if (status === 401 || status === 403) return `the carrier refused the credentials (HTTP ${status}${code})`;
  return `the carrier takes no messages from this account (HTTP ${status}${code})`;
}

/** Undefined where it is no JSON: no pointer finds anything in it. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(withExactIds(body.toString('utf8')));
  } catch {
    return undefined;
  }
}
