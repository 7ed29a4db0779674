import { BREAKER_DEFAULTS, Breaker, type BreakerState, type BreakerTurn } from '../domain/breaker.js';
import type { CarrierConnection, HandOver, Outgoing } from '../domain/carrier-connection.js';
import { VALIDITY_EXPIRED } from '../domain/error-codes.js';
import { type LinkStatus, Quality } from '../domain/link-status.js';
import { Pacer } from '../domain/pacer.js';
import { ReadyQueue } from '../domain/ready-queue.js';
import { unsentParts } from './outgoing.js';

export interface LinkSettings {
  readonly name: string;
  /** Segments that may wait for their answer at a time. */
  readonly windowSize: number;
  /** Segments a second. */
  readonly tps: number | null;
  readonly responseTimeoutMs: number;
  /** Whether it takes submissions; one that does not is there for the receipts of earlier ones. */
  readonly takes: boolean;
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
/** A lease that was renewed late holds again. */
const LEASE_RETRY_MS = 100;
/** How much of its pace waits here, so that it is never idle. */
const READY_MS = 50;
/** Slower than this counts against the carrier. */
const SLOW_SHARE = 0.75;

/**
 * One carrier as the sender sees it: a bounded queue of its own, its window, its pace, its breaker, and a few retries
 * of what it did not take. A carrier that stops answering holds up nobody else's messages.
 */
export class CarrierLink {
  readonly quality = new Quality();
  private readonly breaker: Breaker;
  private readonly pacer: Pacer;
  private readonly queue = new ReadyQueue<Outgoing>();
  private readonly retrying = new Map<Outgoing, NodeJS.Timeout>();
  private inFlight = 0;
  private segmentsInFlight = 0;
  private lastAnswerAtMs = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;
  private onIdle: (() => void) | null = null;
  private stopping: Promise<void> | null = null;
  private shown: BreakerState = 'closed';

  constructor(
    readonly settings: LinkSettings,
    private readonly connection: CarrierConnection,
    private readonly handlers: LinkHandlers,
    /** Whether this process still may send: its lease holds. */
    private readonly mayLead: () => boolean,
    private readonly random: () => number = Math.random,
  ) {
    this.breaker = new Breaker(BREAKER_DEFAULTS, random);
    this.pacer = new Pacer(settings.tps, random, performance.now());
  }

  /** Whether it takes messages, be it later; where it does not, they go another way. */
  get isUsable(): boolean {
    const isOpen = this.settings.takes && !this.closed && this.connection.state.phase === 'bound';
    return isOpen && this.breaker.allowance(performance.now()) > 0;
  }

  /**
   * How many more submissions it takes. What waits here is given to this carrier for the time being, so it is little: a
   * window that is ready to follow the one under way, or what the pace lets leave in a moment.
   */
  get room(): number {
    if (!this.isUsable) return 0;
    const { windowSize, tps } = this.settings;
    const waiting = this.queue.size + this.retrying.size;
    const ready = tps === null ? windowSize : Math.min(windowSize, Math.max(1, Math.ceil((tps * READY_MS) / 1000)));
    const held = Math.min(ready - waiting, windowSize * 2 - waiting - this.inFlight);
    return Math.max(0, Math.min(held, this.breaker.allowance(performance.now()) - waiting));
  }

  get status(): LinkStatus {
    const now = performance.now();
    return {
      ...this.connection.state,
      breaker: this.breaker.state(now),
      breakerOpenMs: Math.round(this.breaker.waitMs(now)),
      queued: this.queue.size + this.retrying.size,
      inFlight: this.inFlight,
      paceShare: this.settings.tps === null ? null : Math.round(this.pacer.share(now) * 100) / 100,
      recent: this.breaker.recent(),
      ...this.quality.read(),
    };
  }

  start(): void {
    this.connection.start();
  }

  /** Takes a submission whose key is durable. */
  offer(outgoing: Outgoing): void {
    outgoing.carrier = this.settings.name;
    outgoing.attempts = 0;
    outgoing.messageIds = outgoing.parts.map(() => null);
    this.enqueue(outgoing);
    if (this.isUsable) this.pump();
    else this.handBackAll('the carrier takes no messages at present');
  }

  /** Called when the connection changes: what waits for a carrier that is down goes another way. */
  onState(): void {
    if (this.connection.state.phase === 'bound') this.pump();
    else this.handBackAll('the carrier is not connected');
    this.handlers.onRoom();
  }

  /** Takes no more, gives back what has not left, waits (bounded) for what has, and closes. */
  stop(): Promise<void> {
    this.stopping ??= this.close();
    return this.stopping;
  }

  private async close(): Promise<void> {
    this.closed = true;
    this.clearTimer();
    this.handBackAll('the carrier is being closed');
    const idle = new Promise<void>((resolve) => {
      this.onIdle = resolve;
    });
    await this.connection.stop();
    if (this.inFlight > 0) await idle;
  }

  private pump(): void {
    this.clearTimer();
    for (let next = this.queue.first; next && !this.closed; next = this.queue.first) {
      if (!this.mayLead()) {
        this.pumpLater(LEASE_RETRY_MS);
        return;
      }
      const now = performance.now();
      if (this.breaker.allowance(now) <= 0) {
        this.handBackAll('the breaker is open');
        return;
      }
      // One that has more segments than there ever is credit for leaves when nothing else is under way.
      if (this.connection.credit < unsentParts(next) && this.inFlight > 0) return;
      const waitMs = this.pacer.waitMs(now);
      if (waitMs > 0) {
        this.pumpLater(waitMs);
        return;
      }
      this.queue.shift();
      if (next.validUntilMs <= Date.now()) this.handlers.onRejected(next, VALIDITY_EXPIRED);
      else void this.send(next, now);
    }
  }

  private async send(outgoing: Outgoing, startedAtMs: number): Promise<void> {
    const segments = unsentParts(outgoing);
    this.inFlight++;
    this.segmentsInFlight += segments;
    this.quality.count('submitted');
    this.pacer.take(startedAtMs, segments);
    const turn = this.breaker.started(startedAtMs);
    const outcome = await this.connection.handOver(outgoing);
    outgoing.answerMs = Math.round(performance.now() - startedAtMs);
    this.judge(outcome, turn, startedAtMs, segments);
    this.inFlight--;
    this.segmentsInFlight -= segments;
    this.follow(outgoing, outcome);
    this.showBreaker();
    this.pump();
    if (this.inFlight === 0) this.onIdle?.();
    this.handlers.onRoom();
  }

  /** What the outcome says of the carrier. */
  private judge(outcome: HandOver, turn: BreakerTurn, startedAtMs: number, segments: number): void {
    const now = performance.now();
    switch (outcome.kind) {
      case 'accepted':
      case 'rejected':
        this.lastAnswerAtMs = now;
        this.pacer.answered();
        this.quality.answered(now - startedAtMs);
        if (this.isSlow(now - startedAtMs, segments)) this.breaker.failed(turn, now);
        else this.breaker.succeeded(turn, now);
        return;
      case 'throttled':
        this.lastAnswerAtMs = now;
        this.pacer.throttled(now);
        this.breaker.withdrawn(turn);
        return;
      case 'retryable':
        this.lastAnswerAtMs = now;
        this.breaker.failed(turn, now);
        return;
      case 'unsent':
        this.breaker.withdrawn(turn);
        return;
      case 'unknown':
        if (outcome.reason === 'answered') this.lastAnswerAtMs = now;
        if (outcome.reason === 'timeout' && this.isStalled(now)) this.breaker.stalled(turn, now);
        else this.breaker.failed(turn, now);
    }
  }

  private isSlow(tookMs: number, segments: number): boolean {
    const rounds = Math.ceil(segments / this.settings.windowSize);
    return tookMs > this.settings.responseTimeoutMs * SLOW_SHARE * rounds;
  }

  /** A full window without an answer for as long as one may take. */
  private isStalled(now: number): boolean {
    const next = this.queue.first;
    const isFull = this.segmentsInFlight + (next ? unsentParts(next) : 1) > this.settings.windowSize;
    return isFull && now - this.lastAnswerAtMs > this.settings.responseTimeoutMs;
  }

  /** What the outcome means for the submission. */
  private follow(outgoing: Outgoing, outcome: HandOver): void {
    if (outcome.kind !== 'unsent') this.quality.count(outcome.kind);
    switch (outcome.kind) {
      case 'accepted':
        this.handlers.onAccepted(outgoing);
        return;
      case 'rejected':
        this.handlers.onRejected(outgoing, outcome.errorCode);
        return;
      case 'throttled':
        if (this.closed) this.release(outgoing, 'the carrier is being closed');
        else this.queue.unshift(outgoing);
        return;
      case 'unsent':
        this.release(outgoing, 'the carrier is not connected');
        return;
      case 'retryable':
        this.retry(outgoing);
        return;
      case 'unknown':
        if (outgoing.retryUnknown) this.retry(outgoing);
        else this.handlers.onUnknown(outgoing);
    }
  }

  private enqueue(outgoing: Outgoing): void {
    this.queue.push(outgoing, `${outgoing.weight}/${outgoing.accountId}`, unsentParts(outgoing) / outgoing.weight);
  }

  private retry(outgoing: Outgoing): void {
    outgoing.attempts++;
    if (outgoing.attempts >= MAX_ATTEMPTS) {
      outgoing.exhausted.add(this.settings.name);
      this.release(outgoing, 'the carrier did not take it');
      return;
    }
    if (this.closed) {
      this.release(outgoing, 'the carrier is being closed');
      return;
    }
    const waitMs = this.random() * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** outgoing.attempts);
    const again = () => {
      this.retrying.delete(outgoing);
      this.enqueue(outgoing);
      this.pump();
    };
    this.retrying.set(outgoing, setTimeout(again, waitMs));
  }

  private handBackAll(reason: string): void {
    const waiting = [...this.queue.clear(), ...this.retrying.keys()];
    for (const timer of this.retrying.values()) clearTimeout(timer);
    this.retrying.clear();
    for (const outgoing of waiting) this.release(outgoing, reason);
  }

  /** Lets go of a submission. One that the carrier has in part would be sent twice in that part by another. */
  private release(outgoing: Outgoing, reason: string): void {
    const isWithCarrier = outgoing.messageIds.some((id) => id !== null);
    if (isWithCarrier && !outgoing.retryUnknown) this.handlers.onUnknown(outgoing);
    else this.handlers.onHandBack(outgoing, reason);
  }

  private showBreaker(): void {
    const state = this.breaker.state(performance.now());
    if (state === this.shown) return;
    this.shown = state;
    this.handlers.onBreaker(this.settings.name, state);
    if (state === 'open') this.handBackAll('the breaker is open');
  }

  private pumpLater(waitMs: number): void {
    this.timer = setTimeout(() => this.pump(), waitMs);
  }

  private clearTimer(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }
}
