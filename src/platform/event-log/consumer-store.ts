import type { ModuleDatabase, Queryable } from '../postgres/database.js';
import { ParkedEvents } from './parked-events.js';

/** The lease was lost to another process, or has run out: whoever finds this writes nothing more under it. */
export class LeaseLost extends Error {
  constructor(readonly lease: string) {
    super(`the lease ${lease} belongs to another process now`);
    this.name = 'LeaseLost';
  }
}

/** The right to move one consumer's cursor, as it was given. */
export interface Lease {
  readonly consumer: string;
  readonly owner: string;
  /** Grows with every lease that is given: it tells this one from those before and after it. */
  readonly epoch: number;
  /** Where the cursor stood then. */
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

/**
 * The rows `consumer` of one module: cursor and lease in one row, so that moving the cursor checks the lease for free;
 * and beside them the events that are parked. Clocks are the database's.
 */
export class ConsumerStore {
  readonly parked: ParkedEvents;

  constructor(readonly db: ModuleDatabase) {
    this.parked = new ParkedEvents(db);
  }

  private get schema(): string {
    return this.db.module;
  }

  /** Makes the consumer's row where it is missing, before the first event. */
  async declare(id: string, source: string): Promise<void> {
    await this.db.query(
      `insert into ${this.schema}.consumer (id, source) values ($1, $2) on conflict (id) do nothing`,
      [id, source],
    );
  }

  /** Takes the lease if it is free, has run out, or is the owner's already; null when another process holds it. */
  async acquire(id: string, owner: string, leaseMs: number): Promise<Lease | null> {
    const { rows } = await this.db.query<{ epoch: string; position: string }>(
      `update ${this.schema}.consumer
        set owner = $2, epoch = epoch + 1, expires_at = clock_timestamp() + $3 * interval '1 ms'
        where id = $1 and (owner is null or owner = $2 or expires_at < clock_timestamp())
        returning epoch, position`,
      [id, owner, leaseMs],
    );
    const row = rows[0];
    return row ? { consumer: id, owner, epoch: Number(row.epoch), position: Number(row.position) } : null;
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

  /** Takes every lease away, where whoever held one is known to be dead. */
  async releaseAll(): Promise<void> {
    await this.db.query(`update ${this.schema}.consumer set owner = null where owner is not null`);
  }

  /** Gives up this owner's leases, so that another process need not wait for their end. */
  async release(owner: string): Promise<void> {
    await this.db.query(`update ${this.schema}.consumer set owner = null where owner = $1`, [owner]);
  }

  /**
   * Moves the cursor, in the effect's transaction, if the lease still holds and the cursor stands where its holder
   * believes: after a commit whose answer was lost it may have moved already.
   *
   * @throws LeaseLost, which rolls the effect back
   */
  async advance(tx: Queryable, lease: Lease, from: number, to: number): Promise<void> {
    const { rowCount } = await tx.query({
      name: `${this.schema}-advance`,
      text: `update ${this.schema}.consumer set position = $5
        where id = $1 and owner = $2 and epoch = $3 and position = $4 and expires_at > clock_timestamp()`,
      values: [lease.consumer, lease.owner, lease.epoch, from, to],
    });
    if (rowCount !== 1) throw new LeaseLost(lease.consumer);
  }

  /** Holds the lease until the end of a transaction that moves no cursor. @throws LeaseLost */
  async guard(tx: Queryable, lease: Lease): Promise<void> {
    const { rowCount } = await tx.query(
      `select 1 from ${this.schema}.consumer
        where id = $1 and owner = $2 and epoch = $3 and expires_at > clock_timestamp() for share`,
      [lease.consumer, lease.owner, lease.epoch],
    );
    if (rowCount !== 1) throw new LeaseLost(lease.consumer);
  }

  /**
   * Starts the consumer over from a position; whoever holds the lease loses it, and reads on from there. Only back:
   * forward would skip what the consumer has not seen.
   */
  async rewind(id: string, position: number): Promise<'rewound' | 'beyond' | 'unknown'> {
    const { rowCount } = await this.db.query(
      `update ${this.schema}.consumer set position = $2, epoch = epoch + 1, owner = null
        where id = $1 and position >= $2`,
      [id, position],
    );
    if (rowCount === 1) return 'rewound';
    const known = await this.db.query(`select 1 from ${this.schema}.consumer where id = $1`, [id]);
    return known.rowCount === 1 ? 'beyond' : 'unknown';
  }

  /**
   * The position up to which none of these consumers needs anything of their log any more, neither by its cursor nor for
   * an event that is parked; 0 when one of them has not begun, infinite for none.
   */
  async passed(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return Number.POSITIVE_INFINITY;
    const { rows } = await this.db.control.query<{ known: string; passed: string | null }>(
      `select count(*) as known, min(least(c.position,
          (select min(p.position) - 1 from ${this.schema}.parked_event p where p.consumer = c.id))) as passed
        from ${this.schema}.consumer c where c.id = any($1)`,
      [ids],
    );
    const { known, passed } = rows[0]!;
    return Number(known) === ids.length ? Number(passed) : 0;
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
