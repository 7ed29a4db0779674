import type { StoredEvent } from '../../shared/define-event.js';
import type { ModuleDatabase, Queryable } from '../postgres/database.js';

/** An event that waits for an operator: its effect failed as often as it may. */
export interface ParkedEvent {
  readonly consumer: string;
  readonly source: string;
  readonly streamId: string;
  readonly position: number;
  readonly state: string;
  readonly attempts: number;
  readonly error: string | null;
  readonly parkedAt: Date;
}

/** The oldest event that a consumer has set aside in one stream. */
export interface StreamHead {
  readonly streamId: string;
  readonly position: number;
  /** How often its effect has failed. */
  readonly attempts: number;
  /** Whether it is to be tried again now. */
  readonly due: boolean;
}

interface ParkedRow {
  consumer: string;
  source: string;
  stream_id: string;
  position: string;
  state: string;
  attempts: number;
  error: string | null;
  parked_at: Date;
}

const MAX_ERROR_LENGTH = 500;
const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 30_000;

/**
 * The rows `parked_event` of one module's consumers: the events of streams whose effect failed, oldest first; an empty
 * table in good times. What is `waiting` is tried when it is the oldest of its stream and due, what is `parked` when an
 * operator says so. Clocks are the database's.
 */
export class ParkedEvents {
  constructor(private readonly db: ModuleDatabase) {}

  private get table(): string {
    return `${this.db.module}.parked_event`;
  }

  /** Sets an event aside whose effect failed for the first time; its stream waits from now on. */
  async add(tx: Queryable, consumer: string, event: StoredEvent, error: unknown): Promise<void> {
    await this.insert(tx, consumer, [event], 1, describe(error), retryDelayMs(1));
  }

  /** Puts events aside behind the failed ones of their streams. */
  async queue(tx: Queryable, consumer: string, events: readonly StoredEvent[]): Promise<void> {
    if (events.length > 0) await this.insert(tx, consumer, events, 0, null, 0);
  }

  private async insert(
    tx: Queryable,
    consumer: string,
    events: readonly StoredEvent[],
    attempts: number,
    error: string | null,
    delayMs: number,
  ): Promise<void> {
    await tx.query(
      `insert into ${this.table} (consumer, stream_id, position, state, attempts, error, next_attempt_at)
        select $1, e.stream_id, e.position, 'waiting', $4, $5, clock_timestamp() + $6 * interval '1 ms'
        from unnest($2::uuid[], $3::bigint[]) as e(stream_id, position)
        on conflict (consumer, position) do nothing`,
      [consumer, events.map((e) => e.streamId), events.map((e) => e.position), attempts, error, delayMs],
    );
  }

  /**
   * The oldest event of every stream that has something aside, those that wait longest first. Steps from stream to
   * stream in the index, so that a stream with much behind it costs no more than one with little.
   */
  async heads(consumer: string): Promise<StreamHead[]> {
    const columns = 'stream_id, position, state, attempts, next_attempt_at';
    const { rows } = await this.db.query<{ stream_id: string; position: string; attempts: number; due: boolean }>(
      `with recursive head as (
          (select ${columns} from ${this.table} where consumer = $1 order by stream_id, position limit 1)
          union all
          select next.* from head, lateral (
            select ${columns} from ${this.table} where consumer = $1 and stream_id > head.stream_id
            order by stream_id, position limit 1
          ) next
        )
        select stream_id, position, attempts, state = 'waiting' and next_attempt_at <= clock_timestamp() as due
        from head order by next_attempt_at`,
      [consumer],
    );
    return rows.map((row) => ({
      streamId: row.stream_id,
      position: Number(row.position),
      attempts: row.attempts,
      due: row.due,
    }));
  }

  /** Removes an event whose effect has now happened, in that effect's transaction, or that no longer exists. */
  async remove(tx: Queryable, consumer: string, position: number): Promise<void> {
    await tx.query(`delete from ${this.table} where consumer = $1 and position = $2`, [consumer, position]);
  }

  /** Records that the effect failed `attempts` times; after the last one the stream waits for an operator. */
  async failed(
    tx: Queryable,
    consumer: string,
    position: number,
    attempts: number,
    last: boolean,
    error: unknown,
  ): Promise<void> {
    await tx.query(
      `update ${this.table} set attempts = $3, error = $4, state = $5, parked_at = clock_timestamp(),
          next_attempt_at = clock_timestamp() + $6 * interval '1 ms'
        where consumer = $1 and position = $2`,
      [consumer, position, attempts, describe(error), last ? 'parked' : 'waiting', retryDelayMs(attempts)],
    );
  }

  /** The parked events after a (consumer, position) pair, in the order of both. */
  async list(after: { consumer: string; position: number }, limit: number): Promise<ParkedEvent[]> {
    // The order of bytes, which is that of whoever merges the lists of several modules.
    const { rows } = await this.db.control.query<ParkedRow>(
      `select p.consumer, c.source, p.stream_id, p.position, p.state, p.attempts, p.error, p.parked_at
        from ${this.table} p join ${this.db.module}.consumer c on c.id = p.consumer
        where (p.consumer collate "C", p.position) > ($1, $2) and p.state = 'parked'
        order by p.consumer collate "C", p.position limit $3`,
      [after.consumer, after.position, limit],
    );
    return rows.map((row) => ({
      consumer: row.consumer,
      source: row.source,
      streamId: row.stream_id,
      position: Number(row.position),
      state: row.state,
      attempts: row.attempts,
      error: row.error,
      parkedAt: row.parked_at,
    }));
  }

  /** Lets a parked event be tried again, from its first attempt, or drops it; false when it is not parked. */
  async resolve(consumer: string, position: number, action: 'retry' | 'skip'): Promise<boolean> {
    const text =
      action === 'retry'
        ? `update ${this.table} set state = 'waiting', attempts = 0, next_attempt_at = clock_timestamp()
            where consumer = $1 and position = $2 and state = 'parked'`
        : `delete from ${this.table} where consumer = $1 and position = $2 and state = 'parked'`;
    const { rowCount } = await this.db.control.query(text, [consumer, position]);
    return rowCount === 1;
  }
}

/** Exponential with full jitter. */
function retryDelayMs(attempt: number): number {
  return Math.round(Math.random() * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** attempt));
}

function describe(error: unknown): string {
  const { name = 'Error', message = String(error) } = (error ?? {}) as Partial<Error>;
  return `${name}: ${message}`.replaceAll('\0', '').slice(0, MAX_ERROR_LENGTH);
}
