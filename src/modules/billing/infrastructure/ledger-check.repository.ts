import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import { BillingDatabase } from './billing.storage.js';

export interface LedgerFaults {
  readonly entries: number;
  readonly sumMicros: string;
  readonly accounts: readonly AccountFault[];
  readonly resolutions: readonly ResolutionFault[];
}

/** An account that is not what its entries make it, or lies below its limit; micro-units in decimal. */
export interface AccountFault {
  readonly id: string;
  readonly kind: string | null;
  readonly balance: string;
  readonly projectedBalance: string;
  readonly reserved: string;
  readonly projectedReserved: string;
  readonly limit: string;
  /** Reservations that are open, by number. */
  readonly open: string;
  readonly projectedOpen: string;
  /** Messages of the quota's day. */
  readonly used: string;
  readonly projectedUsed: string;
}

export interface ResolutionFault {
  readonly key: string;
  readonly keyPrefix: string;
  readonly pending: boolean;
}

interface AccountsRow {
  entries: string;
  sum: string;
  faults: AccountFault[] | null;
}

const MAX_FAULTS = 100;
const CHECK_TIMEOUT_MS = 600_000;

/**
 * Every account against the projection of its entries, in one scan of them; for its quota, those of its quota's day are
 * looked at, and those that were undone.
 */
const ACCOUNTS = `with pair as materialized (
    select debit_id, credit_id, count(*) as entries,
      coalesce(sum(amount_micros) filter (where kind in ('post', 'credit')), 0) as moved,
      sum(case kind when 'pending' then amount_micros when 'credit' then 0 else -amount_micros end) as held,
      sum(case kind when 'pending' then 1 when 'credit' then 0 else -1 end) as open,
      count(*) filter (where phase = 0 and created_at >= a.day_start and created_at < a.day_start + interval '1 day')
        as used
    from billing.entry left join (
      select id, quota_day::timestamp at time zone 'UTC' as day_start from billing.ledger_account
    ) a on a.id = debit_id
    group by debit_id, credit_id
  ), undone as (
    select r.debit_id as id, count(*) as messages from billing.entry r
      join billing.ledger_account a on a.id = r.debit_id
      join billing.entry p on p.key = r.key and p.phase = 0
    where r.phase = 1 and r.undone and (p.created_at at time zone 'UTC')::date = a.quota_day group by 1
  ), projected as (
    select id, sum(balance) as balance, sum(reserved) as reserved, sum(open) as open, sum(used) as used from (
      select debit_id as id, -moved as balance, held as reserved, open, used from pair
      union all
      select credit_id, moved, 0, 0, 0 from pair
      union all
      select id, 0, 0, 0, -messages from undone
    ) side group by id
  ), fault as (
    select coalesce(a.id, p.id) as id, a.kind, coalesce(a.balance_micros, 0)::text as balance,
      coalesce(p.balance, 0)::text as "projectedBalance", coalesce(a.reserved_micros, 0)::text as reserved,
      coalesce(p.reserved, 0)::text as "projectedReserved", coalesce(a.limit_micros, 0)::text as limit,
      coalesce(a.reserved_count, 0)::text as open, coalesce(p.open, 0)::text as "projectedOpen",
      coalesce(a.quota_used, 0)::text as used, coalesce(p.used, 0)::text as "projectedUsed"
    from billing.ledger_account a full join projected p on p.id = a.id
    where a.id is null or a.balance_micros <> coalesce(p.balance, 0) or a.reserved_micros <> coalesce(p.reserved, 0)
      or a.reserved_count <> coalesce(p.open, 0) or a.quota_used <> coalesce(p.used, 0)
      or (a.kind = 'customer' and a.balance_micros - a.reserved_micros < a.limit_micros)
    order by 1 limit ${MAX_FAULTS}
  )
  select (select coalesce(sum(entries), 0) from pair) as entries,
    (select coalesce(sum(balance_micros), 0) from billing.ledger_account) as sum,
    (select json_agg(fault) from fault) as faults`;

/** Resolutions that resolve no reservation, or another amount or other accounts than were reserved. */
const RESOLUTIONS = `select r.key, r.key_prefix as "keyPrefix", exists (
      select from billing.entry p where p.key = r.key and p.phase = 0
    ) as pending
  from billing.entry r
  where r.phase = 1 and r.kind <> 'credit' and not exists (
    select from billing.entry p where p.key = r.key and p.phase = 0 and p.debit_id = r.debit_id
      and p.credit_id = r.credit_id and p.amount_micros = r.amount_micros
  ) limit ${MAX_FAULTS}`;

/** Recomputes the whole ledger from its entries. */
@Injectable()
export class LedgerCheckRepository {
  constructor(private readonly db: BillingDatabase) {}

  /** What does not hold, seen in one snapshot on the control plane; nothing waits for it. */
  async check(): Promise<LedgerFaults> {
    const client = await this.db.control.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin isolation level repeatable read read only');
      await client.query(`set local statement_timeout = ${CHECK_TIMEOUT_MS}`);
      const faults = await this.faults(client as Queryable);
      await client.query('commit');
      return faults;
    } catch (error) {
      await client.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  private async faults(tx: Queryable): Promise<LedgerFaults> {
    const accounts = (await tx.query<AccountsRow>(ACCOUNTS)).rows[0]!;
    const resolutions = await tx.query<ResolutionFault & Record<string, unknown>>(RESOLUTIONS);
    return {
      entries: Number(accounts.entries),
      sumMicros: accounts.sum,
      accounts: accounts.faults ?? [],
      resolutions: resolutions.rows,
    };
  }
}
