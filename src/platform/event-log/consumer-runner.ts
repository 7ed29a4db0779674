import type { StoredEvent } from '../../shared/define-event.js';
import type { Queryable } from '../postgres/database.js';
import type { DurableConsumer } from './consumer.js';
import { type ConsumerStore, type Lease, LeaseLost } from './consumer-store.js';
import { Effect, isPassing, type RunnerLog } from './effect.js';
import type { ReadableLog } from './readable-log.js';
import { StreamsAside } from './streams-aside.js';
import { Wakeup } from './wakeup.js';

export interface ConsumerSettings {
  /** How long a lease holds without being renewed. */
  readonly leaseMs: number;
  /** The longest wait before an idle consumer looks at the log without having been woken. */
  readonly pollMs: number;
  readonly maxAttempts: number;
  /** How long after one effect the events of the next one gather; not at all where it is absent. */
  readonly gatherMs?: () => number;
}

export const CONSUMER_DEFAULTS: ConsumerSettings = { leaseMs: 5000, pollMs: 250, maxAttempts: 5 };

const DEFAULT_BATCH = 500;
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5000;
/** How long the cursor's row may lag behind over events that change nothing beside it. */
const SAVE_EVERY_MS = 1000;
/** How often a consumer that finds no page makes sure that it stands where a page could be. */
const CHECK_PLACE_EVERY_MS = 5000;

interface FailedEvent {
  readonly event: StoredEvent;
  readonly error: unknown;
}

/**
 * Drives one durable consumer in this process: takes its lease when it is free, reads pages, applies each in one
 * transaction with the cursor, sets failing streams aside and retries them.
 */
export class ConsumerRunner {
  private readonly wakeup = new Wakeup();
  private readonly types: ReadonlySet<string>;
  private readonly effect: Effect;
  private readonly aside: StreamsAside;
  private lease: Lease | null = null;
  /** Everything up to here has had its effect, or none to have. */
  private position = 0;
  /** Where the cursor's row stands: at `position`, or behind it by events that change nothing beside it. */
  private saved = 0;
  private savedAt = 0;
  private effectAt = Number.NEGATIVE_INFINITY;
  private placeCheckedAt = Number.NEGATIVE_INFINITY;
  private stopping = false;
  private backoffMs = BACKOFF_MIN_MS;
  private running: Promise<void> | null = null;

  constructor(
    readonly consumer: DurableConsumer,
    private readonly log: ReadableLog,
    private readonly store: ConsumerStore,
    private readonly owner: string,
    private readonly settings: ConsumerSettings,
    private readonly logger: RunnerLog,
  ) {
    this.types = new Set(consumer.types);
    this.effect = new Effect(consumer, store, logger);
    this.aside = new StreamsAside(consumer.id, log, store, this.effect, settings, logger);
  }

  /** Whether this process holds the consumer's lease, as far as it knows. */
  get owned(): boolean {
    return this.lease !== null;
  }

  start(): void {
    const off = this.log.onWake(() => this.wakeup.wake());
    this.running = this.loop().finally(off);
  }

  /** Finishes the transaction under way and stops; the lease is released by whoever stops all runners. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
  }

  /** Told by the renewal that the lease is no longer ours. What is under way finds out by itself. */
  forget(): void {
    this.lease = null;
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        const isBusy = await this.step();
        this.backoffMs = BACKOFF_MIN_MS;
        if (!isBusy) await this.rest();
      } catch (error) {
        await this.recover(error);
      }
    }
    // What is not saved would only be read again.
    if (this.lease) await this.save(this.lease).catch(() => undefined);
  }

  /** New events end the rest of whoever holds the lease; the others look for the lease only. */
  private async rest(): Promise<void> {
    if (!this.lease) return this.wakeup.pause(this.settings.pollMs, () => this.stopping);
    await this.wakeup.wait(this.aside.restMs);
    const leftMs = this.effectAt + (this.settings.gatherMs?.() ?? 0) - performance.now();
    if (leftMs > 0) await this.wakeup.pause(leftMs, () => this.stopping);
  }

  private async recover(error: unknown): Promise<void> {
    // After any error the cursor is read anew: a commit whose answer was lost may have moved it.
    this.lease = null;
    if (error instanceof LeaseLost) return;
    this.logger.warn({ consumer: this.consumer.id, err: error }, 'a consumer waits for what it depends on');
    await this.wakeup.pause(this.backoffMs, () => this.stopping);
    this.backoffMs = Math.min(BACKOFF_MAX_MS, this.backoffMs * 2);
  }

  /** The streams that are due and one page; false when there is no more to do until something new is announced. */
  private async step(): Promise<boolean> {
    const lease = this.lease ?? (await this.takeLease());
    if (!lease) return false;
    const retried = await this.aside.retry(lease);
    const page = await this.log.read(this.position, this.consumer.batchSize ?? DEFAULT_BATCH);
    if (page.length > 0) await this.applyPage(lease, page);
    if (performance.now() - this.savedAt >= SAVE_EVERY_MS) await this.save(lease);
    if (page.length > 0) return retried || this.log.mayHaveMore(this.position);
    return (await this.checkPlace(lease)) || retried;
  }

  private async takeLease(): Promise<Lease | null> {
    const lease = await this.store.acquire(this.consumer.id, this.owner, this.settings.leaseMs);
    if (!lease) return null;
    await this.aside.load();
    this.position = lease.position;
    this.saved = lease.position;
    this.placeCheckedAt = Number.NEGATIVE_INFINITY;
    this.lease = lease;
    return lease;
  }

  private async applyPage(lease: Lease, page: readonly StoredEvent[]): Promise<void> {
    const last = page[page.length - 1]!.position;
    const relevant = page.filter((event) => this.hasEffect(event));
    if (relevant.length === 0) {
      this.position = last;
      return;
    }
    this.effectAt = performance.now();
    const behind = relevant.filter((event) => this.aside.has(event.streamId));
    const free = behind.length === 0 ? relevant : relevant.filter((event) => !this.aside.has(event.streamId));
    try {
      if (!this.consumer.apply && behind.length === 0) {
        await this.effect.prepare(free);
        this.position = last;
        return;
      }
      await this.settle(lease, free, last, (tx) => this.store.parked.queue(tx, this.consumer.id, behind));
    } catch (error) {
      if (isPassing(error)) throw error;
      await this.isolate(lease, relevant, free.length === 1 ? { event: free[0]!, error } : null);
      this.position = last;
    }
  }

  private hasEffect(event: StoredEvent): boolean {
    if (!this.types.has(event.type)) return false;
    try {
      return this.consumer.concerns?.(event) ?? true;
    } catch {
      // Its data cannot be read: its effect will say so, and its stream waits, not the page.
      return true;
    }
  }

  /** After a page failed: event by event, so that the one at fault is set aside with its stream and no other. */
  private async isolate(lease: Lease, events: readonly StoredEvent[], known: FailedEvent | null): Promise<void> {
    const { id } = this.consumer;
    for (const event of events) {
      if (this.aside.has(event.streamId)) {
        await this.settle(lease, [], event.position, (tx) => this.store.parked.queue(tx, id, [event]));
        continue;
      }
      const failed = known?.event === event ? known : await this.tryAlone(lease, event);
      if (!failed) continue;
      this.logger.error({ consumer: id, position: event.position, err: failed.error }, 'an effect failed');
      await this.settle(lease, [], event.position, (tx) => this.store.parked.add(tx, id, event, failed.error));
      this.aside.add(event.streamId);
    }
  }

  private async tryAlone(lease: Lease, event: StoredEvent): Promise<FailedEvent | null> {
    try {
      await this.settle(lease, [event], event.position);
      return null;
    } catch (error) {
      if (isPassing(error)) throw error;
      return { event, error };
    }
  }

  /** One transaction: the effect of some events, what else becomes of them, and the cursor. */
  private async settle(
    lease: Lease,
    events: readonly StoredEvent[],
    to: number,
    also: (tx: Queryable) => Promise<void> = async () => undefined,
  ): Promise<void> {
    const after = await this.effect.run(events, async (tx) => {
      await also(tx);
      await this.store.advance(tx, lease, this.saved, to);
    });
    this.moved(to);
    after();
  }

  /** Brings the cursor's row to where the consumer is. */
  private async save(lease: Lease): Promise<void> {
    if (this.saved === this.position) return;
    await this.store.advance(this.store.db, lease, this.saved, this.position);
    this.moved(this.position);
  }

  private moved(to: number): void {
    this.position = to;
    this.saved = to;
    this.savedAt = performance.now();
  }

  /**
   * Goes on where a page could be: at the oldest event where those before it were dropped, at the head where the log
   * was restored from an older copy than the cursor. Whether it had to move.
   */
  private async checkPlace(lease: Lease): Promise<boolean> {
    if (performance.now() - this.placeCheckedAt < CHECK_PLACE_EVERY_MS) return false;
    const { head, next } = await this.log.around(this.position);
    const to = next === null ? Math.min(head, this.position) : next - 1;
    this.placeCheckedAt = performance.now();
    if (to === this.position) return false;
    const fields = { consumer: this.consumer.id, from: this.position, to };
    this.logger.error(
      fields,
      to > this.position ? 'events are no longer in the log' : 'the log ends before the cursor',
    );
    await this.store.advance(this.store.db, lease, this.saved, to);
    this.moved(to);
    return true;
  }
}
