import type { Queryable } from '../../../src/platform/postgres/database.js';
import type { NewEvent, StoredEvent } from '../../../src/shared/define-event.js';
import { type Database, type Transaction, uniqueViolation } from './database.js';

/** The rows of one module's log. */
export class LogTable {
  readonly events: StoredEvent[] = [];
  private readonly versions = new Set<string>();

  constructor(readonly module: string) {}

  /** The row of the log's head: whoever appends holds it until the commit. */
  get headRow(): string {
    return `head/${this.module}`;
  }

  has(streamId: string, version: number): boolean {
    return this.versions.has(`${streamId}/${version}`);
  }

  /** Writes events with the transaction, at the next positions. The head's row is held. */
  insert(tx: Transaction, events: readonly NewEvent[], nowMs: number): void {
    const taken = events.find((event) => this.has(event.streamId, event.version));
    if (taken) throw uniqueViolation(`${taken.streamId}/${taken.version}`);
    tx.writes.push(() => {
      for (const event of events) {
        this.versions.add(`${event.streamId}/${event.version}`);
        const position = this.events.length + 1;
        const { causation = null, traceparent = null } = event;
        this.events.push(Object.freeze({ ...event, causation, traceparent, position, occurredAt: new Date(nowMs) }));
      }
    });
  }
}

/** An event log as one process uses it: EventLog's twin. */
export class LogTwin {
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly table: LogTable,
    private readonly db: Database,
  ) {}

  get module(): string {
    return this.table.module;
  }

  async append(tx: Queryable, events: readonly NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    const { table } = this;
    const write = (rows: Transaction) => table.insert(rows, events, this.db.nowMs());
    await this.db.run(`append to ${table.module}`, [table.headRow], write, tx);
  }

  read(after: number, limit = 1000): Promise<StoredEvent[]> {
    return this.db.look(`read ${this.module}`, () => this.table.events.slice(after, after + limit));
  }

  mayHaveMore(position: number): boolean {
    return position < this.table.events.length;
  }

  around(position: number): Promise<{ head: number; next: number | null }> {
    return this.db.look(`look around in ${this.module}`, () => {
      const head = this.table.events.length;
      return { head, next: position < head ? position + 1 : null };
    });
  }

  head(): Promise<number> {
    return this.db.look(`head of ${this.module}`, () => this.table.events.length);
  }

  readAt(positions: readonly number[]): Promise<StoredEvent[]> {
    return this.db.look(`read of ${this.module}`, () => positions.flatMap((at) => this.table.events[at - 1] ?? []));
  }

  wake(): void {
    for (const listener of this.listeners) listener();
  }

  onWake(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
