import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import { isTransientDatabaseError } from '../../../platform/postgres/database.js';
import type { Logger } from '../../../platform/tokens.js';
import { newId } from '../../../shared/sid.js';
import type { Arrival, CarrierInbound } from '../domain/inbound.js';
import { type Assembled, assemble, fingerprintOf, giveUp } from '../domain/inbound-assembly.js';
import { BindsLost, type HeldLease } from '../infrastructure/binds-lease.repository.js';
import type { InboundRepository } from '../infrastructure/inbound.repository.js';
import type { CountedInbound } from './carriers-metrics.js';
import { inboundEvent } from './inbound-events.js';

export interface InboundRecorderHandlers {
  onCounted(carrier: string, what: CountedInbound): void;
  /** Another worker has the lease. */
  onLost(): void;
}

/** How long a message waits for its other parts, and how long something that comes again is known. */
export const WAIT_FOR_PARTS_MS = 600_000;
const MAX_GIVEN_UP = 500;
const MAX_FORGOTTEN = 1_000;
const EVERY_MS = 10_000;
const MAX_BATCH = 200;
const MAX_ATTEMPTS = 50;
const RETRY_MS = 200;

/** Looks for messages whose parts are late. */
const LATE = 'late';
type Work = Arrival | typeof LATE;

/**
 * Writes what comes in from phones, one group at a time, so that parts of a message meet. A carrier is told that we have
 * something when it is durable; what cannot be written it sends again.
 */
export class InboundRecorder {
  private readonly group: GroupCommit<Work, true>;
  private readonly wakeup = new Wakeup();
  private lookAtMs = 0;
  private closed = false;

  constructor(
    private readonly lease: HeldLease,
    private readonly repository: InboundRepository,
    private readonly logger: Logger,
    private readonly handlers: InboundRecorderHandlers,
    /** Milliseconds since 1970. */
    private readonly now: () => number = Date.now,
  ) {
    this.group = new GroupCommit<Work, true>((work) => this.write(work), {
      maxBatch: MAX_BATCH,
      maxInFlight: 1,
      maxQueued: Number.POSITIVE_INFINITY,
      gatherMs: 2,
    });
  }

  /** Resolves when it is durable. Rejects where it cannot be kept now. */
  async take(inbound: CarrierInbound): Promise<void> {
    await this.group.submit({ ...inbound, id: newId(), receivedAtMs: this.now() });
  }

  /** Called about once a second: makes messages of what has waited too long for its other parts. */
  step(): void {
    if (this.now() < this.lookAtMs) return;
    this.lookAtMs = this.now() + EVERY_MS;
    this.group.submit(LATE).catch((error) => {
      if (!this.closed) this.logger.warn({ err: error }, 'late parts of inbound messages cannot be looked after yet');
    });
  }

  drain(): Promise<void> {
    return this.group.drain();
  }

  /** What is not written is sent again by its carrier, to the next owner. */
  close(): void {
    this.closed = true;
  }

  private async write(work: Work[]): Promise<(true | Error)[]> {
    const arrivals = work.filter((one) => one !== LATE);
    const late = arrivals.length < work.length ? await this.attempt(() => this.recordLate()) : true;
    const results = new Map(await this.writeArrivals(arrivals));
    return work.map((one) => (one === LATE ? late : results.get(one)!));
  }

  private async writeArrivals(arrivals: Arrival[]): Promise<[Arrival, true | Error][]> {
    if (arrivals.length === 0) return [];
    const result = await this.attempt(() => this.recordArrivals(arrivals));
    if (result === true || arrivals.length === 1) return arrivals.map((one) => [one, result]);
    // One that the database refuses must not keep the others from being written.
    const results: [Arrival, true | Error][] = [];
    for (const one of arrivals) results.push([one, await this.attempt(() => this.recordArrivals([one]))]);
    return results;
  }

  /** Repeats what fails for a reason that passes: whether its commit was lost or only the answer to it, nobody knows. */
  private async attempt(work: () => Promise<void>): Promise<true | Error> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (this.closed) throw new BindsLost();
        await work();
        return true;
      } catch (error) {
        if (error instanceof BindsLost) this.handlers.onLost();
        else if (isTransientDatabaseError(error) && attempt < MAX_ATTEMPTS) {
          await this.wakeup.pause(RETRY_MS, () => this.closed);
          continue;
        } else this.logger.error({ err: error }, 'what came in from phones cannot be written');
        return error instanceof Error ? error : new Error(String(error));
      }
    }
  }

  private async recordArrivals(arrivals: readonly Arrival[]): Promise<void> {
    const fingerprints = arrivals.flatMap((one) => fingerprintOf(one) ?? []);
    const ids = arrivals.flatMap((one) => (one.concatenation ? [] : one.id));
    const parts = await this.repository.partsLike(arrivals);
    const recent = await this.repository.recent(fingerprints, this.now() - WAIT_FOR_PARTS_MS, ids);
    await this.record(assemble(arrivals, parts, recent));
  }

  private async recordLate(): Promise<void> {
    const beforeMs = this.now() - WAIT_FOR_PARTS_MS;
    const late = await this.repository.late(beforeMs, MAX_GIVEN_UP);
    if (late.length > 0) await this.record(giveUp(late));
    const forgotten = await this.repository.forgetParts(this.lease, beforeMs, MAX_FORGOTTEN);
    if (late.length >= MAX_GIVEN_UP || forgotten === MAX_FORGOTTEN) this.lookAtMs = 0;
  }

  private async record(assembled: Assembled): Promise<void> {
    const { messages, newParts, joined, repeated } = assembled;
    if (messages.length + newParts.length + joined.length > 0) {
      await this.repository.record(this.lease, assembled, messages.map(inboundEvent));
    }
    for (const repetition of repeated) {
      await this.repository.heard(repetition);
      this.handlers.onCounted(repetition.carrier, 'repeated');
    }
    for (const { carrier, missing } of messages) {
      this.handlers.onCounted(carrier, missing === 0 ? 'whole' : 'incomplete');
    }
  }
}
