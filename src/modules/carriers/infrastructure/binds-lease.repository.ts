import { Injectable } from '@nestjs/common';
import { CarriersDatabase } from './carriers.storage.js';

/** A lease that this process holds: its epoch fences every write made under it. */
export interface HeldLease {
  readonly owner: string;
  readonly epoch: number;
}

/** The lease of the binds belongs to another worker: nothing was written. */
export class BindsLost extends Error {
  constructor() {
    super('the binds belong to another worker now');
    this.name = 'BindsLost';
  }
}

const NAME = 'binds';

/**
 * The CTE `guard` for statements whose first two values are owner and epoch: a row while the lease is theirs. It is
 * locked until the statement has committed, so that nobody takes the lease in between.
 */
export const LEASE_GUARD = `guard as materialized (
    select withdrawals from carriers.lease where name = '${NAME}' and owner = $1 and epoch = $2 for share
  )`;

/**
 * The CTE `steady`, behind `guard`: a row where the statement sees everything that was withdrawn before it got the lock.
 * The locked row is the newest, the other one is as old as the statement's snapshot.
 */
export const STEADY = `steady as materialized (
    select 1 from guard g join carriers.lease l on l.name = '${NAME}' and l.withdrawals = g.withdrawals
  )`;

/** The lease of all binds: one worker at a time owns the carriers' sessions, paces and breakers. */
@Injectable()
export class BindsLeaseRepository {
  constructor(private readonly db: CarriersDatabase) {}

  /** Takes the lease if it is free or has run out; null when another worker holds it. */
  async acquire(owner: string, leaseMs: number): Promise<HeldLease | null> {
    const { rows } = await this.db.query<{ epoch: string }>(
      `insert into carriers.lease as l (name, owner, epoch, expires_at)
        values ($1, $2, 1, clock_timestamp() + $3 * interval '1 ms')
        on conflict (name) do update set owner = $2, epoch = l.epoch + 1, expires_at = excluded.expires_at
          where l.owner is null or l.owner = $2 or l.expires_at < clock_timestamp()
        returning epoch`,
      [NAME, owner, leaseMs],
    );
    return rows[0] ? { owner, epoch: Number(rows[0].epoch) } : null;
  }

  /**
   * Prolongs the lease, also one that has run out and that nobody has taken since; false when it is no longer ours.
   */
  async renew(lease: HeldLease, leaseMs: number): Promise<boolean> {
    const { rowCount } = await this.db.query(
      `update carriers.lease set expires_at = clock_timestamp() + $4 * interval '1 ms'
        where name = $1 and owner = $2 and epoch = $3`,
      [NAME, lease.owner, lease.epoch, leaseMs],
    );
    return rowCount === 1;
  }

  /** Takes the lease away, where whoever held it is known to be dead. */
  async free(): Promise<void> {
    await this.db.query('update carriers.lease set owner = null where name = $1', [NAME]);
  }

  /** Gives the lease up, so that another worker need not wait for its end. */
  async release(lease: HeldLease): Promise<void> {
    await this.db.query('update carriers.lease set owner = null where name = $1 and owner = $2 and epoch = $3', [
      NAME,
      lease.owner,
      lease.epoch,
    ]);
  }
}
