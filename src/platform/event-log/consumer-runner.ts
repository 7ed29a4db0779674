import type { StoredEvent } from '../../shared/define-event.js';
import { isTransientDatabaseError, type Queryable } from '../postgres/database.js';
import type { DurableConsumer } from './consumer.js';
import { type ConsumerStore, type Lease, LeaseLost } from './consumer-store.js';
import type { EventLog } from './event-log.js';
import { Wakeup } from './wakeup.js';

export interface ConsumerSettings {
  /** How long a lease holds without being renewed. */
  readonly leaseMs: number;
  /** The longest wait before an idle consumer looks at the log without having been woken. */
  readonly pollMs: number;
  readonly maxAttempts: number;
}

export const CONSUMER_DEFAULTS: ConsumerSettings = { leaseMs: 5000, pollMs: 250, maxAttempts: 5 };

const DEFAULT_BATCH = 500;
const RETRY_STREAMS = 50;
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5000;

/** An error of an effect that says nothing about the event: a dependency is gone. Tried again for as long as it takes. */
export class Unavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Unavailable';
  }
}

export interface RunnerLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Drives one durable consumer in this process: takes its lease when it is free, reads pages, applies each in one
 * transaction with the cursor, sets failing streams aside and retries them.
 */
export class ConsumerRunner {
  private readonly wakeup = new Wakeup();
  private lease: Lease | null = null;
  private position = 0;
  private blocked = new Set<string>();
  private nextRetryAt = 0;
  private stopping = false;
  private backoffMs = BACKOFF_MIN_MS;
  private running: Promise<void> | null = null;

  constructor(
    readonly consumer: DurableConsumer,
    private readonly log: EventLog,
    private readonly store: ConsumerStore,
    private readonly owner: string,
    private readonly settings: ConsumerSettings,
    private readonly logger: RunnerLog,
  ) {}

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

  /** Told by the renewal that the lease is no longer ours. */
  forget(): void {
    this.lease = null;
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        const busy = await this.step();
        this.backoffMs = BACKOFF_MIN_MS;
        if (!busy) await this.wakeup.wait(this.settings.pollMs);
      } catch (error) {
        await this.recover(error);
      }
    }
  }

  private async recover(error: unknown): Promise<void> {
    if (error instanceof LeaseLost) {
      this.lease = null;
      return;
    }
    this.logger.warn({ consumer: this.consumer.id, err: error }, 'a consumer waits for what it depends on');
    await this.wakeup.pause(this.backoffMs, () => this.stopping);
    this.backoffMs = Math.min(BACKOFF_MAX_MS, this.backoffMs * 2);
  }

  /** One page; false when there was nothing to do. */
  private async step(): Promise<boolean> {
    if (!this.lease && !(await this.takeLease())) return false;
    if (this.blocked.size > 0 && Date.now() >= this.nextRetryAt) await this.retryAside();
    const limit = this.consumer.batchSize ?? DEFAULT_BATCH;
    const page = await this.log.read(this.position, limit);
    if (page.length === 0) return false;
    await this.applyPage(page);
    return true;
  }

  private async takeLease(): Promise<boolean> {
    const lease = await this.store.acquire(this.consumer.id, this.owner, this.settings.leaseMs);
    if (!lease) return false;
    this.blocked = await this.store.blockedStreams(this.consumer.id);
    this.position = lease.position;
    this.nextRetryAt = 0;
    this.lease = lease;
    return true;
  }

  private async applyPage(page: readonly StoredEvent[]): Promise<void> {
    const last = page[page.length - 1]!.position;
    const relevant = page.filter((event) => this.consumer.types.includes(event.type));
    const behind = relevant.filter((event) => this.blocked.has(event.streamId));
    const free = behind.length === 0 ? relevant : relevant.filter((event) => !this.blocked.has(event.streamId));
    try {
      await this.effect(free, async (tx) => {
        await this.store.setAside(tx, this.consumer.id, behind, null);
        await this.store.advance(tx, this.consumer.id, this.owner, this.held(), last);
      });
      this.position = last;
    } catch (error) {
      if (error instanceof LeaseLost || isPassing(error)) throw error;
      await this.isolate(page);
    }
  }

  /** After a page failed: event by event, so that the one at fault is set aside with its stream and no other. */
  private async isolate(page: readonly StoredEvent[]): Promise<void> {
    for (const event of page) {
      const relevant = this.consumer.types.includes(event.type);
      const isBehind = relevant && this.blocked.has(event.streamId);
      const move = (tx: Queryable) => this.store.advance(tx, this.consumer.id, this.owner, this.held(), event.position);
      try {
        await this.effect(relevant && !isBehind ? [event] : [], async (tx) => {
          if (isBehind) await this.store.setAside(tx, this.consumer.id, [event], null);
          await move(tx);
        });
      } catch (error) {
        if (error instanceof LeaseLost || isPassing(error)) throw error;
        this.logger.error({ consumer: this.consumer.id, position: event.position, err: error }, 'an effect failed');
        await this.store.db.transaction(async (tx) => {
          await this.store.setAside(tx, this.consumer.id, [event], error as Error);
          await move(tx);
        });
        this.blocked.add(event.streamId);
      }
      this.position = event.position;
    }
  }

  /** Tries the oldest event of each stream that is aside and due; a stream with none left is free again. */
  private async retryAside(): Promise<void> {
    this.nextRetryAt = Date.now() + this.settings.pollMs;
    const due = await this.store.due(this.consumer.id, RETRY_STREAMS);
    const events = await this.log.readAt(due.map((item) => item.position));
    for (const event of events) {
      const attempts = due.find((item) => item.position === event.position)!.attempts;
      await this.retryOne(event, attempts + 1);
    }
    this.blocked = await this.store.blockedStreams(this.consumer.id);
  }

  private async retryOne(event: StoredEvent, attempt: number): Promise<void> {
    try {
      await this.effect([event], async (tx) => {
        await this.store.guard(tx, this.consumer.id, this.owner, this.held());
        await this.store.done(tx, this.consumer.id, event.position);
      });
    } catch (error) {
      if (error instanceof LeaseLost || isPassing(error)) throw error;
      const last = attempt >= this.settings.maxAttempts;
      await this.store.failed(this.consumer.id, event.position, attempt, last, error as Error);
      if (last) {
        this.logger.error(
          { consumer: this.consumer.id, position: event.position, stream: event.streamId, err: error },
          'an event is parked: its stream waits for an operator to retry or skip it',
        );
      }
    }
  }

  private async effect(events: readonly StoredEvent[], inside: (tx: Queryable) => Promise<void>): Promise<void> {
    const prepared = events.length > 0 ? await this.consumer.prepare?.(events) : undefined;
    const after = await this.store.db.transaction(async (tx) => {
      const callback = events.length > 0 ? await this.consumer.apply(tx, events, prepared) : undefined;
      await inside(tx);
      return callback;
    });
    after?.();
  }

  private held(): Lease {
    if (!this.lease) throw new LeaseLost(this.consumer.id);
    return this.lease;
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof Unavailable || isTransientDatabaseError(error);
}
