import { EventEmitter } from 'node:events';
import type { EventDefinition, NewEvent, StoredEvent } from '../../shared/define-event.js';
import type { ModuleDatabase, Queryable } from '../postgres/database.js';
import type { ReadableLog } from './readable-log.js';
import { RecentEvents } from './recent-events.js';
import { freeze, storedEvent } from './stored-event.js';

/** The longest page that is read at once; consumers read on from where it ends. */
export const MAX_PAGE = 1000;
const RECENT_EVENTS = 4 * MAX_PAGE;

/** Events of a transaction, and where it has put them: `committed` takes them. */
export interface Appended {
  readonly events: readonly NewEvent[];
  /** The position before the first of them. */
  readonly base: number;
  readonly at: Date;
}

/** A statement without a `returning`, by the name that it is prepared under. */
export interface NamedChange {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

interface AppendedRow {
  base: string;
  at: Date;
}

interface EventRow {
  position: string;
  stream_id: string;
  version: number;
  type: string;
  tenant_id: string | null;
  occurred_at: Date;
  data: unknown;
  causation: string | null;
  traceparent: string | null;
}

/**
 * A module's event log, which is also its outbox: the fact is written in the transaction of the change, and that row
 * is what consumers read.
 *
 * Positions come from the log's head row, which an append updates last and holds until it commits. So commit order
 * is position order: whoever has read up to a position has missed nothing before it, a rollback leaves no gap, and a
 * dump restores the log whole. The price is that appends of one module commit one after another, which is why they
 * travel in groups.
 */
export class EventLog implements ReadableLog {
  private readonly definitions = new Map<string, EventDefinition>();
  private readonly upcasters = new Map<string, EventDefinition>();
  private readonly wakeups = new EventEmitter();
  private readonly recent = new RecentEvents(RECENT_EVENTS);
  /** Wakes that brought no events along, and how many of them the newest run was read to its end after. */
  private announced = 0;
  private seen = -1;
  /** The reads of newest events that are under way, by the position they start after. */
  private readonly reading = new Map<number, Promise<StoredEvent[]>>();

  constructor(
    readonly db: ModuleDatabase,
    definitions: readonly EventDefinition[],
  ) {
    this.wakeups.setMaxListeners(0);
    for (const definition of definitions) {
      this.definitions.set(definition.type, definition);
      for (const old of Object.keys(definition.upcasts)) this.upcasters.set(old, definition);
    }
  }

  get module(): string {
    return this.db.module;
  }

  /**
   * Appends events inside the caller's transaction, as its last statement.
   *
   * @returns what `committed` is to be called with after the commit; null for no events
   * @throws the unique violation of (stream, version) when another transaction wrote that version first
   */
  async append(tx: Queryable, events: readonly NewEvent[]): Promise<Appended | null> {
    if (events.length === 0) return null;
    const { rows } = await tx.query<AppendedRow>({
      name: `${this.module}-append`,
      text: `with ${this.appendCtes(0)} select base, at from head`,
      values: [events.length, ...this.columns(events)],
    });
    return this.appended(events, rows[0]!);
  }

  /**
   * Changes rows and appends the events of that in one statement: as `append`, and one round trip less. For no events,
   * the change alone.
   */
  async appendWith(tx: Queryable, change: NamedChange, events: readonly NewEvent[]): Promise<Appended | null> {
    if (events.length === 0) {
      await tx.query({ ...change });
      return null;
    }
    const { name, text, values } = change;
    const { rows } = await tx.query<AppendedRow>({
      name: `${name}-append`,
      // The head is locked when the change is made and not before: others wait for it as briefly as they can.
      text: `with changed as (${text} returning 1), ${this.appendCtes(values.length, 'where (select count(*) from changed) >= 0')}
        select base, at from head`,
      values: [...values, events.length, ...this.columns(events)],
    });
    return this.appended(events, rows[0]!);
  }

  /** The CTEs that append the events whose number and columns follow the first `before` values. */
  private appendCtes(before: number, condition = ''): string {
    const types = ['uuid', 'int', 'text', 'uuid', 'text', 'text', 'text'];
    const columns = types.map((type, index) => `$${before + 2 + index}::${type}[]`).join(', ');
    const source = `unnest(${columns}) with ordinality
      as e(stream_id, version, type, tenant_id, data, causation, traceparent, ord)`;
    return `${this.headCte(`$${before + 1}::int`, condition)}, event as (${this.insert('head', source)})`;
  }

  /**
   * The CTE `head(base, at)` that takes `count` positions, with the instant of their events; for statements that append
   * as part of something larger.
   */
  headCte(count: string, condition = ''): string {
    return `head as (update ${this.module}.event_head set position = position + ${count} ${condition}
      returning position - ${count} as base, clock_timestamp() as at)`;
  }

  /** What a statement has appended, by the row of its CTE `head`. */
  appended(events: readonly NewEvent[], { base, at }: AppendedRow): Appended {
    return { events, base: Number(base), at };
  }

  /** The insert that writes the rows of `source` (with a dense `ord` from 1) at the positions that `head` took. */
  insert(head: string, source: string): string {
    return `insert into ${this.module}.event (position, occurred_at, stream_id, version, type, tenant_id, data, causation, traceparent)
      select ${head}.base + e.ord, ${head}.at, e.stream_id, e.version, e.type, e.tenant_id, e.data::jsonb, e.causation, e.traceparent
      from ${head}, ${source}`;
  }

  /** The events as columns for `unnest`: stream, version, type, tenant, data, causation, traceparent. */
  columns(events: readonly NewEvent[]): unknown[] {
    for (const event of events) {
      if (!this.definitions.has(event.type)) throw new Error(`${this.module} does not publish ${event.type}`);
    }
    return [
      events.map((e) => e.streamId),
      events.map((e) => e.version),
      events.map((e) => e.type),
      events.map((e) => e.tenantId),
      events.map((e) => JSON.stringify(e.data)),
      events.map((e) => e.causation ?? null),
      events.map((e) => e.traceparent ?? null),
    ];
  }

  /**
   * The events after a position, in order, at most `limit`; those of an older version read as the current one. Empty
   * at the head, and where none of the next positions holds an event: see `around`. The events are shared and frozen.
   *
   * The newest pages, which every consumer of the log asks for, come from the database once. A read that joins another
   * sees what that one sees; `wake` makes later ones ask anew.
   */
  async read(after: number, limit = MAX_PAGE): Promise<StoredEvent[]> {
    const bounded = Math.min(limit, MAX_PAGE);
    const recent = this.recent.after(after, bounded);
    if (recent.length > 0) return recent;
    if (after < this.recent.last) return this.readPage(after, bounded);
    const page = await this.readNewest(after);
    return page.slice(0, bounded);
  }

  private readNewest(after: number): Promise<StoredEvent[]> {
    const underWay = this.reading.get(after);
    if (underWay) return underWay;
    const page = this.keepRecent(after).finally(() => {
      if (this.reading.get(after) === page) this.reading.delete(after);
    });
    this.reading.set(after, page);
    return page;
  }

  private async keepRecent(after: number): Promise<StoredEvent[]> {
    const { announced } = this;
    try {
      const page = await this.readPage(after, MAX_PAGE);
      this.recent.add(page);
      this.seen = page.length < MAX_PAGE ? announced : -1;
      return page;
    } catch (error) {
      // The database that comes back may be another one.
      this.recent.clear();
      throw error;
    }
  }

  private async readPage(after: number, limit: number): Promise<StoredEvent[]> {
    // The upper bound lets the planner leave out every partition but the one or two that hold the page.
    const { rows } = await this.db.query<EventRow>({
      name: `${this.module}-read`,
      text: `select position, stream_id, version, type, tenant_id, occurred_at, data, causation, traceparent
        from ${this.module}.event where position > $1::bigint and position <= $1::bigint + $2::bigint order by position`,
      values: [after, limit],
    });
    return rows.map((row) => this.toEvent(row));
  }

  mayHaveMore(position: number): boolean {
    return position !== this.recent.last || this.seen < this.announced;
  }

  /**
   * What lies around a position: the log's head, and the first event after it, null where there is none. That is not
   * the very next position where old partitions were dropped.
   */
  async around(position: number): Promise<{ head: number; next: number | null }> {
    const { rows } = await this.db.query<{ head: string; next: string | null }>(
      `select (select position from ${this.module}.event_head) as head,
        (select position from ${this.module}.event where position > $1 order by position limit 1) as next`,
      [position],
    );
    const { head, next } = rows[0]!;
    return { head: Number(head), next: next === null ? null : Number(next) };
  }

  /** The events at the given positions, in order. */
  async readAt(positions: readonly number[]): Promise<StoredEvent[]> {
    const { rows } = await this.db.control.query<EventRow>(
      `select position, stream_id, version, type, tenant_id, occurred_at, data, causation, traceparent
        from ${this.module}.event where position = any($1::bigint[]) order by position`,
      [positions],
    );
    return rows.map((row) => this.toEvent(row));
  }

  /** The history of one stream, oldest first, at most `limit` events. */
  async readStream(streamId: string, limit = MAX_PAGE): Promise<StoredEvent[]> {
    const { rows } = await this.db.control.query<EventRow>(
      `select position, stream_id, version, type, tenant_id, occurred_at, data, causation, traceparent
        from ${this.module}.event where stream_id = $1::uuid order by version limit $2`,
      [streamId, limit],
    );
    return rows.map((row) => this.toEvent(row));
  }

  /** The position of the newest event. */
  async head(): Promise<number> {
    const { rows } = await this.db.query<{ position: string }>(`select position from ${this.module}.event_head`);
    return Number(rows[0]?.position ?? 0);
  }

  /** Tells of events that are committed: whoever reads on from before them need not ask the database. */
  committed(appended: Appended | null): void {
    if (!appended) return;
    const { events, base, at } = appended;
    if (this.wakeups.listenerCount('wake') > 0) {
      this.recent.offer(events.map((event, index) => storedEvent(event, base + index + 1, at)));
    }
    this.emitWake();
    this.wakeups.emit('append');
  }

  /** Tells the consumers that something was committed here: those in this process at once, others by SharedWakes. */
  wake(): void {
    this.wakeHere();
    this.wakeups.emit('append');
  }

  /** Tells the consumers in this process alone that something was committed, wherever that was. */
  wakeHere(): void {
    this.announced++;
    this.emitWake();
    this.wakeups.emit('announced');
  }

  private emitWake(): void {
    this.reading.clear();
    this.wakeups.emit('wake');
  }

  /** Calls back on every wake; returns the way to stop that. */
  onWake(listener: () => void): () => void {
    this.wakeups.on('wake', listener);
    return () => this.wakeups.off('wake', listener);
  }

  /** Calls back on the wakes alone that tell of more than this process's own events; returns the way to stop that. */
  onAnnounced(listener: () => void): () => void {
    this.wakeups.on('announced', listener);
    return () => this.wakeups.off('announced', listener);
  }

  /** Calls back on the wakes that this process's own commits give; returns the way to stop that. */
  onAppend(listener: () => void): () => void {
    this.wakeups.on('append', listener);
    return () => this.wakeups.off('append', listener);
  }

  private toEvent(row: EventRow): StoredEvent {
    const upcaster = this.upcasters.get(row.type);
    const upcast = upcaster?.upcasts[row.type];
    const event = {
      position: Number(row.position),
      streamId: row.stream_id,
      version: row.version,
      type: upcaster?.type ?? row.type,
      tenantId: row.tenant_id,
      occurredAt: row.occurred_at,
      data: freeze(row.data),
      causation: row.causation,
      traceparent: row.traceparent,
    };
    // Made when it is looked at: data that an upcaster cannot read is the trouble of its stream, not of its page.
    if (upcast) Object.defineProperty(event, 'data', { enumerable: true, get: () => upcast(row.data as never) });
    return Object.freeze(event);
  }
}
