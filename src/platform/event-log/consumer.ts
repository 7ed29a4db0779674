import type { StoredEvent } from '../../shared/define-event.js';
import type { Queryable } from '../postgres/database.js';

/**
 * A durable subscription of one module to one module's log: once per cluster, every event of a stream in order, its
 * effect once. `apply` runs in the transaction that moves the consumer's cursor. What an effect needs from another
 * module is called in `prepare`, before that transaction begins, and must be idempotent; where that is all of the effect,
 * there is no `apply`, and the cursor's row follows within a second.
 *
 * A consumer may be replayed from any position: `apply` must recognise what it has already done by its own keys.
 *
 * An error is the event's: after five of them its stream waits for an operator. But one that says nothing about the
 * event is met with patience, for as long as it takes: `Unavailable`, a Failure `unavailable`, a database that is gone.
 * Events are shared with other consumers and frozen.
 */
export interface DurableConsumer<P = unknown> {
  /** `<module>.<what-it-does>`, unique. */
  readonly id: string;
  /** The module whose log it reads. */
  readonly source: string;
  /** The event types it handles; others only move its cursor. */
  readonly types: readonly string[];
  /** Which of those events have an effect, where not all have. */
  concerns?(event: StoredEvent): boolean;
  /** At most how many events go into one transaction. */
  readonly batchSize?: number;
  /** Calls to other modules, outside any transaction. */
  prepare?(events: readonly StoredEvent[]): Promise<P>;
  /** The effect; what it returns runs after the commit, in this process only, and may be lost in a crash. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most effects have nothing to do after their commit
  apply?(tx: Queryable, events: readonly StoredEvent[], prepared: P): Promise<void | (() => void)>;
}

/**
 * A local subscription: every process, from now on, for caches. On any doubt (`lost`: the log could not be read, the
 * process was stopped for long, `on` threw) it must empty its cache. Neither is waited for.
 */
export interface LocalTail {
  readonly id: string;
  readonly source: string;
  on(events: readonly StoredEvent[]): void;
  lost(): void;
}
