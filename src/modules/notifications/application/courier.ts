import { Inject, Injectable } from '@nestjs/common';
import { Logger } from '../../../platform/tokens.js';
import { type Attempted, type AttemptResult, type Delivery, healthOf, originOf } from '../domain/delivery.js';
import { RetrySchedule } from '../domain/retry-schedule.js';
import {
  type Candidate,
  DeliveriesRepository,
  MAX_CANDIDATES,
  type Placement,
  type Selector,
} from '../infrastructure/deliveries.repository.js';
import { ATTEMPT_TIMEOUT_MS, CallWebhook } from './call-webhook.js';
import { Endpoints } from './endpoints.js';
import { FollowingDeliveries } from './following-deliveries.js';
import { HeldDeliveries } from './held-deliveries.js';
import { countedAs, outcomeOf, waiting } from './outcome-of.js';
import { RecordOutcomes } from './record-outcomes.js';

/** How long a delivery belongs to the process that took it: an attempt, and some standing in line before it. */
export const OWN_MS = 25_000;
const MARGIN_MS = 1_000;
/** How long after the one before it a delivery is due that cannot follow it from memory. */
const BEHIND_MS = 1_000;
/** How long attempts under way may go on when the process stops; less than people wait at a terminal. */
const STOP_GRACE_MS = 2_000;
const PAUSED: AttemptResult = { kind: 'failure', reason: 'the endpoint keeps failing', permanent: false };

/**
 * Carries deliveries to their endpoints: in order per message, each endpoint in its own bulkhead. What does not fit
 * into memory stays due in the table.
 */
@Injectable()
export class Courier {
  private readonly endpoints: Endpoints;
  private readonly held = new HeldDeliveries();
  private readonly following: FollowingDeliveries;
  /** The attempts under way, by what ends each. */
  private readonly active = new Set<AbortController>();
  private unfinished = 0;
  private stopping = false;
  private feeding = false;
  private idle: (() => void)[] = [];
  readonly counts = { delivered: 0, retry: 0, dead: 0, unsent: 0, refused: 0 };
  /** Who is told of every attempt that was made, and of those that an endpoint's breaker refused. */
  readonly observers: ((attempt: Attempted) => void)[] = [];

  constructor(
    private readonly webhook: CallWebhook,
    private readonly deliveries: DeliveriesRepository,
    private readonly schedule: RetrySchedule,
    private readonly outcomes: RecordOutcomes,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.endpoints = new Endpoints(schedule);
    this.following = new FollowingDeliveries((after) => this.claim({ after }).then(() => undefined));
  }

  get load(): { held: number; active: number; endpoints: number } {
    return { held: this.held.size, active: this.active.size, endpoints: this.endpoints.size };
  }

  /** How many more deliveries fit. */
  get room(): number {
    return this.stopping ? 0 : this.held.room;
  }

  /** Decides which deliveries are to be taken here, in the given order, and when each is due again. */
  plan(candidates: readonly Candidate[]): Placement[] {
    const taken = this.held.newPlan();
    const inLine = new Map<string, number>();
    return candidates.map(({ delivery, before }) => {
      if (this.held.has(delivery)) return { isTaken: true, waitMs: OWN_MS, waitsFor: null };
      if (this.stopping) return { isTaken: false, waitMs: 0, waitsFor: null };
      if (!taken.mayFollow(delivery, before)) return { isTaken: false, waitMs: BEHIND_MS, waitsFor: 'turn' };
      const line = `${delivery.accountId} ${originOf(delivery.url)}`;
      const planned = inLine.get(line) ?? 0;
      const isFollowing = taken.isFollowing(delivery);
      if (!taken.hasRoom(delivery) || !(isFollowing || this.endpoints.hasPlaceFor(delivery, planned))) {
        return { isTaken: false, waitMs: this.endpoints.leave(delivery, Date.now()), waitsFor: 'room' };
      }
      if (!isFollowing) inLine.set(line, planned + 1);
      taken.add(delivery);
      return { isTaken: true, waitMs: OWN_MS, waitsFor: null };
    });
  }

  /**
   * Takes deliveries that were planned to be taken and now belong to this process.
   *
   * @param sinceMs when they began to, by performance.now(); rather too early
   */
  offer(candidates: readonly Candidate[], sinceMs: number): void {
    this.admit(candidates, sinceMs, false);
    this.pump();
  }

  /** Looks into the table for deliveries to take. Returns how many it found, taken or not. */
  async claim(selector: Selector): Promise<number> {
    const sinceMs = performance.now();
    const { found, taken } = await this.deliveries.claim(selector, (candidates) => this.plan(candidates));
    this.admit(taken, sinceMs, true);
    this.pump();
    return found;
  }

  /**
   * Waits a moment for the attempts under way. Those that take longer are ended, which counts as no attempt; they, and
   * what has not begun, are due at once for whoever comes next.
   */
  async stop(): Promise<void> {
    this.stopping = true;
    this.endpoints.clear();
    const grace = setTimeout(() => {
      for (const attempt of this.active) attempt.abort();
    }, STOP_GRACE_MS);
    await this.deliveries.release(this.held.dropIdle()).catch((error) => this.warn(error));
    while (this.unfinished > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    clearTimeout(grace);
    await this.following.stop();
    await this.outcomes.drain();
  }

  private admit(candidates: readonly Candidate[], sinceMs: number, fromTable: boolean): void {
    const ownedUntilMs = sinceMs + OWN_MS;
    const doubtful: Delivery[] = [];
    for (const { delivery, before } of candidates) {
      if (this.stopping) doubtful.push(delivery);
      else if (this.held.has(delivery)) this.held.prolong(delivery, ownedUntilMs);
      else if (!this.held.mayFollow(delivery, before)) doubtful.push(delivery);
      else if (this.held.add(delivery, ownedUntilMs, fromTable)) this.endpoints.enqueue(delivery, Date.now());
    }
    if (doubtful.length === 0) return;
    // What stood before them went back to the table between the look at it and now: it is due before them.
    void this.deliveries.release(doubtful).catch((error) => this.warn(error));
  }

  private pump(): void {
    while (!this.stopping) {
      const next = this.endpoints.take(Date.now());
      if (!next) break;
      if ('refused' in next) {
        for (const delivery of next.refused) void this.refuse(delivery);
      } else if ('left' in next) {
        for (const delivery of next.left) this.giveBack(delivery);
      } else if (this.held.ownedMs(next.delivery) < ATTEMPT_TIMEOUT_MS + MARGIN_MS) {
        // It stood in line for too long: another process may take it while it is being attempted here.
        this.endpoints.finish(next.delivery, null, 0, Date.now());
        this.held.drop(next.delivery);
      } else {
        void this.attempt(next.delivery);
      }
    }
    void this.feed();
  }

  /** Looks for what was left in the table for lack of room, endpoint after endpoint, where there is room now. */
  private async feed(): Promise<void> {
    if (this.feeding) return;
    this.feeding = true;
    while (!this.stopping) {
      const hungry = this.endpoints.nextHungry((accountId) => this.held.isShort(accountId));
      if (!hungry) break;
      const limit = Math.min(hungry.room, this.held.roomFor(hungry.endpoint.accountId), MAX_CANDIDATES);
      try {
        const found = await this.claim({ leftOf: hungry.endpoint, limit });
        this.endpoints.fed(hungry.endpoint, found < limit, Date.now());
      } catch (error) {
        this.warn(error);
        break;
      }
    }
    this.feeding = false;
  }

  private async attempt(delivery: Delivery): Promise<void> {
    const control = new AbortController();
    this.active.add(control);
    this.unfinished++;
    this.held.begin(delivery);
    const startedMs = performance.now();
    const result = await this.webhook.call(delivery, control.signal);
    const tookMs = performance.now() - startedMs;
    this.endpoints.finish(delivery, healthOf(result), tookMs, Date.now());
    this.active.delete(control);
    this.pump();
    await this.finish(delivery, result, tookMs);
    this.finished();
  }

  /** Its endpoint's line is too long: it waits in the table, and so does what comes behind it. */
  private giveBack(delivery: Delivery): void {
    const waitMs = this.endpoints.leave(delivery, Date.now());
    this.deferBehind(delivery, waitMs);
    void this.outcomes.record({ ...waiting(delivery, waitMs), waitsFor: 'room' });
    this.held.drop(delivery);
  }

  /** The endpoint's breaker is open: it failed a moment ago, and that counts as a failure of this attempt too. */
  private async refuse(delivery: Delivery): Promise<void> {
    this.unfinished++;
    this.counts.refused++;
    this.held.begin(delivery);
    await this.finish(delivery, PAUSED, null);
    this.finished();
  }

  private finished(): void {
    this.unfinished--;
    if (this.unfinished === 0) for (const resolve of this.idle.splice(0)) resolve();
  }

  private async finish(delivery: Delivery, result: AttemptResult, tookMs: number | null): Promise<void> {
    const outcome = outcomeOf(delivery, result, this.schedule, this.stopping);
    for (const observe of this.observers) observe({ delivery, result, state: outcome.state, tookMs });
    const isOver = outcome.state !== 'pending';
    this.counts[outcome.state === 'dead' ? 'dead' : countedAs(result)]++;
    if (!isOver) this.deferBehind(delivery, outcome.nextAttemptMs);
    const isRecorded = await this.outcomes.record(outcome);
    if (!isOver || !isRecorded) {
      this.held.drop(delivery);
      if (isRecorded && outcome.target && outcome.nextAttemptMs === 0) await this.goOn(delivery);
      return;
    }
    const { next, isFromTable } = this.held.end(delivery);
    if (next && !this.stopping) {
      this.endpoints.enqueue(next, Date.now());
      this.pump();
    } else if (isFromTable && !this.stopping) {
      this.following.lookFor(delivery);
    }
  }

  /** It goes on at another endpoint, at once. Where that is not found out now, it is when it is due, which it is. */
  private async goOn(delivery: Delivery): Promise<void> {
    await this.claim({ keys: [delivery], slackMs: 0 }).catch((error) => this.warn(error));
  }

  /** What waits for this one is due after it, so that nobody looks at it in vain before. */
  private deferBehind(delivery: Delivery, waitMs: number): void {
    for (const follower of this.held.behind(delivery)) {
      void this.outcomes.record({ ...waiting(follower, waitMs + BEHIND_MS), waitsFor: 'turn' });
    }
  }

  private warn(error: unknown): void {
    this.logger.warn({ err: error }, 'deliveries could not be looked for or given back: they come when they are due');
  }
}
