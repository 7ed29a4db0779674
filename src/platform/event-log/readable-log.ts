import type { StoredEvent } from '../../shared/define-event.js';

/** A log as consumers see it, wherever it is kept: see EventLog for what each call answers. */
export interface ReadableLog {
  /** The module that publishes it. */
  readonly module: string;
  read(after: number, limit?: number): Promise<StoredEvent[]>;
  /** False where a page that ended here is known to have been the last until the next wake. */
  mayHaveMore(position: number): boolean;
  readAt(positions: readonly number[]): Promise<StoredEvent[]>;
  around(position: number): Promise<{ head: number; next: number | null }>;
  head(): Promise<number>;
  /** Calls back when there may be something new; returns the way to stop that. A consumer polls besides. */
  onWake(listener: () => void): () => void;
}
