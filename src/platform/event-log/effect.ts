import type { StoredEvent } from '../../shared/define-event.js';
import { isFailure } from '../../shared/failure.js';
import { isTransientDatabaseError, type Queryable } from '../postgres/database.js';
import type { DurableConsumer } from './consumer.js';
import { type ConsumerStore, LeaseLost } from './consumer-store.js';

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
 * Whether an error of an effect is no fault of its event: the lease is gone, or a dependency. The event is tried again
 * later, by whoever holds the lease then.
 */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof LeaseLost ||
    error instanceof Unavailable ||
    isFailure(error, 'unavailable') ||
    isTransientDatabaseError(error)
  );
}

/** Runs one consumer's effects, each in one transaction with what becomes of its events. */
export class Effect {
  constructor(
    private readonly consumer: DurableConsumer,
    private readonly store: ConsumerStore,
    private readonly logger: RunnerLog,
  ) {}

  /**
   * Prepares and applies the effect of some events, none of them perhaps; `settle` moves the cursor, or whatever else
   * says that they are done, in the same transaction.
   *
   * @returns the consumer's own callback, to be run by the caller when it has taken note of the commit
   */
  async run(events: readonly StoredEvent[], settle: (tx: Queryable) => Promise<void>): Promise<() => void> {
    const prepared = await this.prepare(events);
    const after = await this.store.db.transaction(async (tx) => {
      const callback = events.length > 0 ? await this.consumer.apply?.(tx, events, prepared) : undefined;
      await settle(tx);
      return callback;
    });
    return () => void this.callBack(after);
  }

  /** What of the effect comes before any transaction. */
  async prepare(events: readonly StoredEvent[]): Promise<unknown> {
    return events.length > 0 ? this.consumer.prepare?.(events) : undefined;
  }

  /** The effect has happened by now: an error of what follows changes nothing about it. */
  private async callBack(after: Awaited<ReturnType<NonNullable<DurableConsumer['apply']>>> | undefined): Promise<void> {
    try {
      await after?.();
    } catch (error) {
      this.logger.error({ consumer: this.consumer.id, err: error }, 'what follows an effect failed');
    }
  }
}
