import { BREAKER_DEFAULTS, Breaker, type BreakerSettings, type BreakerState } from '../domain/breaker.js';
import { VALIDITY_EXPIRED } from '../domain/error-codes.js';
import { Pacer } from '../domain/pacer.js';
import type { CarrierConnection, HandOver, Outgoing } from './carrier-connection.js';

export interface LinkSettings {
  readonly name: string;
  readonly windowSize: number;
  readonly tps: number | null;
  readonly responseTimeoutMs: number;
  readonly breaker?: Partial<BreakerSettings>;
}

export interface LinkHandlers {
  onAccepted(outgoing: Outgoing): void;
  onRejected(outgoing: Outgoing, errorCode: number): void;
  onUnknown(outgoing: Outgoing): void;
  /** It is with nobody: another carrier may take it. */
  onHandBack(outgoing: Outgoing, reason: string): void;
  onRoom(): void;
  onBreaker(name: string, state: BreakerState): void;
}

const MAX_ATTEMPTS = 3;
const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 2_000;
/** Slower than this counts against the carrier. */
const SLOW_SHARE = 0.75;

/**
 * One carrier as the sender sees it: a bounded queue of its own, its window, its pace, its breaker, and a few retries
 * of what it did not take. A carrier that stops answering holds up nobody else's messages.
 */
export class CarrierLink {
  private readonly breaker: Breaker;
  private readonly pacer: Pacer;
  private queue: Outgoing[] = [];
  private readonly retrying = new Map<Outgoing, NodeJS.Timeout>();
  private inFlight = 0;
  private lastAnswerAtMs = 0;
  private timer: NodeJS.Timeout | null = null;
  private draining = false;
  private shown: BreakerState = 'closed';
  readonly counters = { submitted: 0, accepted: 0, rejected: 0, throttled: 0, retried: 0, unknown: 0 };

  constructor(
    readonly settings: LinkSettings,
    readonly connection: CarrierConnection,
    private readonly handlers: LinkHandlers,
    /** Whether this process still may send: its lease holds. */
    private readonly mayLead: () => boolean,
    random: () => number = Math.random,
  ) {
    this.breaker = new Breaker({ ...BREAKER_DEFAULTS, ...settings.breaker }, random);
    this.pacer = new Pacer(settings.tps, random, Date.now());
    this.random = random;
  }

  private readonly random: () => number;

  get breakerState(): BreakerState {
    return this.breaker.state(Date.now());
  }

  get load(): { queued: number; inFlight: number } {
    return { queued: this.queue.length + this.retrying.size, inFlight: this.inFlight };
  }

  /** How many more submissions it takes: little more than its window, so that a crash leaves little unknown. */
  get room(): number {
    if (this.draining || this.connection.state.phase !== 'bound') return 0;
    const now = Date.now();
    const held = this.queue.length + this.retrying.size + this.inFlight;
    const allowed = Math.min(this.breaker.allowance(now), this.paceAhead());
    return Math.max(0, Math.min(this.settings.windowSize * 2, allowed) - held);
  }

  /** Takes a submission whose key is durable. */
  offer(outgoing: Outgoing): void {
    outgoing.carrier = this.settings.name;
    outgoing.attempts = 0;
    outgoing.messageIds = outgoing.parts.map(() => null);
    this.queue.push(outgoing);
    this.pump();
  }

  start(): void {
    this.connection.start();
  }

  /** Called when the connection changes: what waits for a carrier that is down goes another way. */
  onState(): void {
    if (this.connection.state.phase === 'bound') this.pump();
    else if (this.connection.state.phase === 'down') this.handBackAll('the carrier is not connected');
    this.handlers.onRoom();
  }

  /** Takes no more, gives back what has not left, waits (bounded) for what has, and closes. */
  async stop(): Promise<void> {
    this.draining = true;
    this.handBackAll('the carrier is being drained');
    await this.connection.stop();
    if (this.timer) clearTimeout(this.timer);
  }

  private pump(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    while (this.queue.length > 0) {
      const now = Date.now();
      if (this.draining || !this.mayLead()) return;
      if (this.breaker.allowance(now) <= 0) {
        this.handBackAll('the breaker is open');
        return;
      }
      if (this.connection.credit < this.queue[0]!.parts.length && this.inFlight > 0) return;
      if (this.pacer.available(now) < 1) {
        this.later(this.pacer.waitMs(now));
        return;
      }
      const outgoing = this.queue.shift()!;
      if (outgoing.validUntilMs <= now) this.handlers.onRejected(outgoing, VALIDITY_EXPIRED);
      else void this.send(outgoing, now);
    }
  }

  private async send(outgoing: Outgoing, startedAtMs: number): Promise<void> {
    this.inFlight++;
    this.counters.submitted++;
    this.pacer.take(startedAtMs);
    this.breaker.started(startedAtMs);
    const outcome = await this.connection.handOver(outgoing);
    const isFull = this.inFlight >= this.settings.windowSize;
    this.inFlight--;
    this.judge(outcome, startedAtMs, isFull);
    this.follow(outgoing, outcome);
    this.showBreaker();
    this.pump();
    this.handlers.onRoom();
  }

  /** What the outcome says of the carrier. */
  private judge(outcome: HandOver, startedAtMs: number, isFull: boolean): void {
    const now = Date.now();
    switch (outcome.kind) {
      case 'accepted':
      case 'rejected':
        this.lastAnswerAtMs = now;
        this.pacer.answered();
        if (now - startedAtMs > this.settings.responseTimeoutMs * SLOW_SHARE) this.breaker.failed(now);
        else this.breaker.succeeded(now);
        return;
      case 'throttled':
        this.lastAnswerAtMs = now;
        this.pacer.throttled(now);
        this.breaker.withdrawn(now);
        return;
      case 'retryable':
        this.lastAnswerAtMs = now;
        this.breaker.failed(now);
        return;
      case 'unsent':
        this.breaker.withdrawn(now);
        return;
      case 'unknown':
        // A full window without an answer for as long as one may take: the carrier has stalled.
        if (isFull && now - this.lastAnswerAtMs > this.settings.responseTimeoutMs) this.breaker.trip(now);
        else this.breaker.failed(now);
    }
  }

  /** What the outcome means for the submission. */
  private follow(outgoing: Outgoing, outcome: HandOver): void {
    switch (outcome.kind) {
      case 'accepted':
        this.counters.accepted++;
        this.handlers.onAccepted(outgoing);
        return;
      case 'rejected':
        this.counters.rejected++;
        this.handlers.onRejected(outgoing, outcome.errorCode);
        return;
      case 'throttled':
        this.counters.throttled++;
        this.queue.unshift(outgoing);
        return;
      case 'unsent':
        this.handlers.onHandBack(outgoing, 'the carrier is not connected');
        return;
      case 'retryable':
        this.retry(outgoing);
        return;
      case 'unknown':
        this.counters.unknown++;
        if (outgoing.retryUnknown) this.retry(outgoing);
        else this.handlers.onUnknown(outgoing);
    }
  }

  private retry(outgoing: Outgoing): void {
    outgoing.attempts++;
    if (outgoing.attempts >= MAX_ATTEMPTS) {
      outgoing.exhausted.add(this.settings.name);
      this.handlers.onHandBack(outgoing, 'the carrier did not take it');
      return;
    }
    this.counters.retried++;
    const waitMs = this.random() * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** outgoing.attempts);
    this.retrying.set(
      outgoing,
      setTimeout(() => {
        this.retrying.delete(outgoing);
        this.queue.push(outgoing);
        this.pump();
      }, waitMs),
    );
  }

  private handBackAll(reason: string): void {
    const waiting = [...this.queue, ...this.retrying.keys()];
    for (const timer of this.retrying.values()) clearTimeout(timer);
    this.queue = [];
    this.retrying.clear();
    for (const outgoing of waiting) this.handlers.onHandBack(outgoing, reason);
  }

  private later(waitMs: number): void {
    this.timer = setTimeout(() => {
      this.pump();
      this.handlers.onRoom();
    }, waitMs);
  }

  /** What its pace lets leave within about a second: more would only wait here. */
  private paceAhead(): number {
    return this.settings.tps === null ? Number.POSITIVE_INFINITY : Math.max(1, this.settings.tps);
  }

  private showBreaker(): void {
    const state = this.breakerState;
    if (state === this.shown) return;
    this.shown = state;
    this.handlers.onBreaker(this.settings.name, state);
    if (state === 'open') this.handBackAll('the breaker is open');
  }
}
