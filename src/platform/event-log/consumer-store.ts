import type { StoredEvent } from '../../shared/define-event.js';
import type { ModuleDatabase, Queryable } from '../postgres/database.js';

/** The lease was lost to another process, or has run out: whoever finds this writes nothing more under it. */
export class LeaseLost extends Error {
  constructor(readonly lease: string) {
    super(`the lease ${lease} belongs to another process now`);
    this.name = 'LeaseLost';
  }
}

export interface Lease {
  readonly epoch: number;
  readonly position: number;
}

export interface ConsumerStatus {
  readonly id: string;
  readonly source: string;
  readonly position: number;
  readonly owner: string | null;
  readonly waiting: number;
  readonly parked: number;
}

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
 * The rows a module keeps of its consumers: `consumer` (cursor and lease in one row, so that moving the cursor checks
 * the lease for free) and `parked_event` (the events of streams whose effect failed; an empty table in good times).
 * Clocks are the database's.
 */
export class ConsumerStore {
  constructor(readonly db: ModuleDatabase) {}

  private get schema(): string {
    return this.db.module;
  }

  /** Makes the consumer's row where it is missing, at the given position. */
  async declare(id: string, source: string): Promise<void> {
    await this.db.query(
      `insert into ${this.schema}.consumer (id, source) values ($1, $2) on conflict (id) do nothing`,
      [id, source],
    );
  }

  /** Takes the lease if it is free or has run out; null when another process holds it. */
  async acquire(id: string, owner: string, leaseMs: number): Promise<Lease | null> {
    const { rows } = await this.db.query<{ epoch: string; position: string }>(
      `update ${this.schema}.consumer
        set owner = $2, epoch = epoch + 1, expires_at = clock_timestamp() + $3 * interval '1 ms'
        where id = $1 and (owner is null or owner = $2 or expires_at < clock_timestamp())
        returning epoch, position`,
      [id, owner, leaseMs],
    );
    const row = rows[0];
    return row ? { epoch: Number(row.epoch), position: Number(row.position) } : null;
  }

  /** Prolongs every lease that this owner still holds; returns their consumers. One that ran out is not prolonged. */
  async renew(owner: string, leaseMs: number): Promise<string[]> {
    const { rows } = await this.db.query<{ id: string }>(
      `update ${this.schema}.consumer set expires_at = clock_timestamp() + $2 * interval '1 ms'
        where owner = $1 and expires_at > clock_timestamp() returning id`,
      [owner, leaseMs],
    );
    return rows.map((row) => row.id);
  }

  /** Gives up this owner's leases, so that another process need not wait for their end. */
  async release(owner: string): Promise<void> {
    await this.db.query(`update ${this.schema}.consumer set owner = null where owner = $1`, [owner]);
  }

  /**
   * Moves the cursor, in the effect's transaction, if the lease still holds.
   *
   * @throws LeaseLost, which rolls the effect back
   */
  async advance(tx: Queryable, id: string, owner: string, lease: Lease, position: number): Promise<void> {
    const { rowCount } = await tx.query({
      name: `${this.schema}-advance`,
      text: `update ${this.schema}.consumer set position = $4
        where id = $1 and owner = $2 and epoch = $3 and expires_at > clock_timestamp()`,
      values: [id, owner, lease.epoch, position],
    });
    if (rowCount !== 1) throw new LeaseLost(id);
  }

  /** Locks the lease in an effect's transaction that moves no cursor. @throws LeaseLost */
  async guard(tx: Queryable, id: string, owner: string, lease: Lease): Promise<void> {
    const { rowCount } = await tx.query(
      `select 1 from ${this.schema}.consumer
        where id = $1 and owner = $2 and epoch = $3 and expires_at > clock_timestamp() for share`,
      [id, owner, lease.epoch],
    );
    if (rowCount !== 1) throw new LeaseLost(id);
  }

  /** Starts the consumer over from a position; whoever holds the lease loses it and reads on from there. */
  async rewind(id: string, position: number): Promise<boolean> {
    const { rowCount } = await this.db.query(
      `update ${this.schema}.consumer set position = $2, epoch = epoch + 1, owner = null where id = $1`,
      [id, position],
    );
    return rowCount === 1;
  }

  /** Puts events aside behind the failed or waiting ones of their streams. */
  async setAside(tx: Queryable, consumer: string, events: readonly StoredEvent[], error: Error | null): Promise<void> {
    if (events.length === 0) return;
    await tx.query(
      `insert into ${this.schema}.parked_event (consumer, stream_id, position, state, attempts, error, next_attempt_at)
        select $1, e.stream_id, e.position, 'waiting', $4, $5, clock_timestamp() + $6 * interval '1 ms'
        from unnest($2::uuid[], $3::bigint[]) as e(stream_id, position)
        on conflict (consumer, position) do nothing`,
      [
        consumer,
        events.map((e) => e.streamId),
        events.map((e) => e.position),
        error ? 1 : 0,
        error ? describe(error) : null,
        error ? retryDelayMs(1) : 0,
      ],
    );
  }

  /** The streams that have something aside: their later events must queue behind it. */
  async blockedStreams(consumer: string): Promise<Set<string>> {
    const { rows } = await this.db.query<{ stream_id: string }>(
      `select distinct stream_id from ${this.schema}.parked_event where consumer = $1`,
      [consumer],
    );
    return new Set(rows.map((row) => row.stream_id));
  }

  /** For each stream whose oldest event is due and not parked: that event's position, its attempts so far. */
  async due(consumer: string, limit: number): Promise<{ streamId: string; position: number; attempts: number }[]> {
    const { rows } = await this.db.query<{ stream_id: string; position: string; attempts: number }>(
      `select stream_id, position, attempts from (
          select distinct on (stream_id) stream_id, position, attempts, state, next_attempt_at
          from ${this.schema}.parked_event where consumer = $1 order by stream_id, position
        ) oldest where state = 'waiting' and next_attempt_at <= clock_timestamp() limit $2`,
      [consumer, limit],
    );
    return rows.map((row) => ({ streamId: row.stream_id, position: Number(row.position), attempts: row.attempts }));
  }

  /** Removes an event whose effect has now happened, in that effect's transaction. */
  async done(tx: Queryable, consumer: string, position: number): Promise<void> {
    await tx.query(`delete from ${this.schema}.parked_event where consumer = $1 and position = $2`, [
      consumer,
      position,
    ]);
  }

  /** Records a failed attempt; after the last one the stream is parked until somebody decides. */
  async failed(consumer: string, position: number, attempts: number, last: boolean, error: Error): Promise<void> {
    await this.db.query(
      `update ${this.schema}.parked_event set attempts = $3, error = $4, state = $5, parked_at = clock_timestamp(),
          next_attempt_at = clock_timestamp() + $6 * interval '1 ms'
        where consumer = $1 and position = $2`,
      [consumer, position, attempts, describe(error), last ? 'parked' : 'waiting', retryDelayMs(attempts)],
    );
  }

  /** The events set aside, oldest first, from after a (consumer, position) pair. */
  async listParked(after: { consumer: string; position: number }, limit: number): Promise<ParkedEvent[]> {
    const { rows } = await this.db.control.query<ParkedRow>(
      `select p.consumer, c.source, p.stream_id, p.position, p.state, p.attempts, p.error, p.parked_at
        from ${this.schema}.parked_event p join ${this.schema}.consumer c on c.id = p.consumer
        where (p.consumer, p.position) > ($1, $2) and p.state = 'parked' order by p.consumer, p.position limit $3`,
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

  /** Lets a parked event be tried again, or drops it; false when it is not parked. */
  async resolveParked(consumer: string, position: number, action: 'retry' | 'skip'): Promise<boolean> {
    const text =
      action === 'retry'
        ? `update ${this.schema}.parked_event set state = 'waiting', attempts = 0, next_attempt_at = clock_timestamp()
            where consumer = $1 and position = $2 and state = 'parked'`
        : `delete from ${this.schema}.parked_event where consumer = $1 and position = $2 and state = 'parked'`;
    const { rowCount } = await this.db.control.query(text, [consumer, position]);
    return rowCount === 1;
  }

  /** Where every consumer of this module stands. */
  async status(): Promise<ConsumerStatus[]> {
    const { rows } = await this.db.control.query<{
      id: string;
      source: string;
      position: string;
      owner: string | null;
      waiting: string;
      parked: string;
    }>(
      `select c.id, c.source, c.position, case when c.expires_at > clock_timestamp() then c.owner end as owner,
          count(p.position) filter (where p.state = 'waiting') as waiting,
          count(p.position) filter (where p.state = 'parked') as parked
        from ${this.schema}.consumer c left join ${this.schema}.parked_event p on p.consumer = c.id
        group by c.id order by c.id`,
    );
    return rows.map((row) => ({
      id: row.id,
      source: row.source,
      position: Number(row.position),
      owner: row.owner,
      waiting: Number(row.waiting),
      parked: Number(row.parked),
    }));
  }
}

/** Exponential with full jitter. */
function retryDelayMs(attempt: number): number {
  return Math.round(Math.random() * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** attempt));
}

function describe(error: Error): string {
  return `${error.name}: ${error.message}`.replaceAll('\0', '').slice(0, MAX_ERROR_LENGTH);
}
