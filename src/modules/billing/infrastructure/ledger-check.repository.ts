import { Injectable } from '@nestjs/common';
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
  /** What its usage says it was charged for: by number, and in micro-units. */
  readonly charges: string;
  readonly projectedCharges: string;
  readonly charged: string;
  readonly projectedCharged: string;
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

interface ResolutionsRow {
  /** Where the next page begins; null after the last one. */
  next: string | null;
  faults: ResolutionFault[] | null;
}

const MAX_FAULTS = 100;
const FIRST_KEY = '00000000-0000-0000-0000-000000000000';
/** Entries in one page: at least three, so that a page has more than one key. */
const PAGE_ENTRIES = 50_000;

/**
 * Every account against the projection of its entries, in one scan of them; for its quota, those of its quota's day are
 * looked at, and those that were undone.
 */
const ACCOUNTS = `with pair as materialized (
    select debit_id, credit_id, count(*) as entries,
      coalesce(sum(amount_micros) filter (where kind in ('post', 'credit')), 0) as moved,
      sum(case kind when 'pending' then amount_micros when 'credit' then 0 else -amount_micros end) as held,
      sum(case kind when 'pending' then 1 when 'credit' then 0 else -1 end) as open,
      count(*) filter (where kind = 'post') as charges,
      coalesce(sum(amount_micros) filter (where kind = 'post'), 0) as charged,
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
    select id, sum(balance) as balance, sum(reserved) as reserved, sum(open) as open, sum(used) as used,
      sum(charges) as charges, sum(charged) as charged
    from (
      select debit_id as id, -moved as balance, held as reserved, open, used, charges, charged from pair
      union all
      select credit_id, moved, 0, 0, 0, 0, 0 from pair
      union all
      select id, 0, 0, 0, -messages, 0, 0 from undone
    ) side group by id
  ), usage as (
    select account_id, sum(charges) as charges, sum(amount_micros) as charged from billing.usage_day group by account_id
  ), fault as (
    select coalesce(a.id, p.id, u.account_id) as id, a.kind, coalesce(a.balance_micros, 0)::text as balance,
      coalesce(p.balance, 0)::text as "projectedBalance", coalesce(a.reserved_micros, 0)::text as reserved,
      coalesce(p.reserved, 0)::text as "projectedReserved", coalesce(a.limit_micros, 0)::text as limit,
      coalesce(a.reserved_count, 0)::text as open, coalesce(p.open, 0)::text as "projectedOpen",
      coalesce(a.quota_used, 0)::text as used, coalesce(p.used, 0)::text as "projectedUsed",
      coalesce(u.charges, 0)::text as charges, coalesce(p.charges, 0)::text as "projectedCharges",
      coalesce(u.charged, 0)::text as charged, coalesce(p.charged, 0)::text as "projectedCharged"
    from billing.ledger_account a full join projected p on p.id = a.id
      full join usage u on u.account_id = coalesce(a.id, p.id)
    where a.id is null or a.balance_micros <> coalesce(p.balance, 0) or a.reserved_micros <> coalesce(p.reserved, 0)
      or a.reserved_count <> coalesce(p.open, 0) or a.quota_used <> coalesce(p.used, 0)
      or coalesce(u.charges, 0) <> coalesce(p.charges, 0) or coalesce(u.charged, 0) <> coalesce(p.charged, 0)
      or (a.kind = 'customer' and a.balance_micros - a.reserved_micros < a.limit_micros)
    order by 1 limit ${MAX_FAULTS}
  )
  select (select coalesce(sum(entries), 0) from pair) as entries,
    (select coalesce(sum(balance_micros), 0) from billing.ledger_account) as sum,
    (select json_agg(fault) from fault) as faults`;

/**
 * Resolutions that resolve no reservation, or another amount or other accounts than were reserved: a page of the entries
 * in the order of their keys, in which a reservation stands right before its resolution. The page's last key is left to
 * the next page, which begins with it.
 */
const RESOLUTIONS = `with page as materialized (
    select key, phase, kind, key_prefix, debit_id, credit_id, amount_micros from billing.entry
    where key >= $1::uuid order by key, phase limit ${PAGE_ENTRIES}
  ), seen as (
    select page.*, lag(key) over w as reserved_key, lag(debit_id) over w as reserved_debit,
      lag(credit_id) over w as reserved_credit, lag(amount_micros) over w as reserved_micros
    from page window w as (order by key, phase)
  ), ended as (
    select count(*) = ${PAGE_ENTRIES} as is_full, (select key from page order by key desc limit 1) as last from page
  )
  select (select case when is_full then last end from ended) as next, (
      select json_agg(json_build_object('key', key, 'keyPrefix', key_prefix, 'pending',
          reserved_key is not distinct from key))
      from (select seen.* from seen, ended where phase = 1 and kind <> 'credit' and not (is_full and key = last)
        and (reserved_key is distinct from key or reserved_debit <> debit_id or reserved_credit <> credit_id
          or reserved_micros <> amount_micros) limit ${MAX_FAULTS}) fault
    ) as faults`;

/** Recomputes the whole ledger from its entries, on the connections for searches; nothing waits for it. */
@Injectable()
export class LedgerCheckRepository {
  constructor(private readonly db: BillingDatabase) {}

  /** What does not hold: of the balances in one snapshot, of the entries, which never change, page by page. */
  async check(): Promise<LedgerFaults> {
    const accounts = await this.db.survey(async (tx) => (await tx.query<AccountsRow>(ACCOUNTS)).rows[0]!);
    return {
      entries: Number(accounts.entries),
      sumMicros: accounts.sum,
      accounts: accounts.faults ?? [],
      resolutions: await this.resolutions(),
    };
  }

  private async resolutions(): Promise<ResolutionFault[]> {
    const faults: ResolutionFault[] = [];
    let from: string | null = FIRST_KEY;
    while (from !== null && faults.length < MAX_FAULTS) {
      const values: string[] = [from];
      const page = await this.db.survey(async (tx) => (await tx.query<ResolutionsRow>(RESOLUTIONS, values)).rows[0]!);
      faults.push(...(page.faults ?? []));
      from = page.next;
    }
    return faults.slice(0, MAX_FAULTS);
  }
}
