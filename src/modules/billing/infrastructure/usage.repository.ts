import { Injectable } from '@nestjs/common';
import type { DaySpan, UsageUnit } from '../domain/usage.js';
import { dayText } from '../domain/usage.js';
import { BillingDatabase } from './billing.storage.js';

/** What some accounts were charged for in a period, by the kind of the charges' keys. */
export interface Usage {
  /** First day of the whole period, `YYYY-MM-DD`; null for a total. */
  readonly period: string | null;
  readonly keyPrefix: string;
  readonly charges: bigint;
  readonly amountMicros: bigint;
}

/** What is wrong with a day's usage: by how much its entries differ. */
interface Drift {
  account_id: string;
  day: string;
  key_prefix: string;
  charges: string;
  amount: string;
}

const DRIFT = `with posted as (
    select debit_id as account_id, (created_at at time zone 'UTC')::date as day, key_prefix, count(*) as charges,
      sum(amount_micros) as amount
    from billing.entry where kind = 'post' group by 1, 2, 3
  )
  select account_id, day::text as day, key_prefix, (coalesce(p.charges, 0) - coalesce(u.charges, 0))::text as charges,
    (coalesce(p.amount, 0) - coalesce(u.amount_micros, 0))::text as amount
  from posted p full join billing.usage_day u using (account_id, day, key_prefix)
  where coalesce(p.charges, 0) <> coalesce(u.charges, 0) or coalesce(p.amount, 0) <> coalesce(u.amount_micros, 0)
  order by account_id, day, key_prefix`;

/** In the order in which every writer takes these rows. */
const CORRECT = `insert into billing.usage_day as u (account_id, day, key_prefix, charges, amount_micros)
  select * from unnest($1::uuid[], $2::date[], $3::text[], $4::bigint[], $5::bigint[])
    as d(account_id, day, key_prefix, charges, amount_micros) order by account_id, day, key_prefix
  on conflict (account_id, day, key_prefix) do update
    set charges = u.charges + excluded.charges, amount_micros = u.amount_micros + excluded.amount_micros`;

/** What accounts were charged for, by day. It is written where charges are posted: see LedgerRepository. */
@Injectable()
export class UsageRepository {
  constructor(private readonly db: BillingDatabase) {}

  /** The usage of some accounts together, on the connections for lists. Periods and kinds without any are left out. */
  async read(accountIds: readonly string[], span: DaySpan, unit: UsageUnit): Promise<Usage[]> {
    const period = unit === 'total' ? 'null' : `date_trunc('${unit}', day::timestamp)::date::text`;
    const { rows } = await this.db.search.query<{
      period: string | null;
      prefix: string;
      charges: string;
      amount: string;
    }>(
      `select ${period} as period, key_prefix as prefix, sum(charges)::text as charges, sum(amount_micros)::text as amount
        from billing.usage_day where account_id = any($1::uuid[]) and day between $2::date and $3::date group by 1, 2`,
      [accountIds, dayText(span.from), dayText(span.to)],
    );
    return rows.map((row) => ({
      period: row.period,
      keyPrefix: row.prefix,
      charges: BigInt(row.charges),
      amountMicros: BigInt(row.amount),
    }));
  }

  /**
   * Makes the usage of every day what its entries make it, while charges go on: entries and usage are compared in one
   * snapshot, which neither can leave without the other, and the difference is added to whatever the usage is by then.
   *
   * @returns how many rows were wrong; null when another correction came between, and nothing was changed
   */
  async correct(): Promise<number | null> {
    const { version, drift } = await this.db.survey(async (tx) => ({
      version: (await tx.query<{ version: string }>('select version from billing.usage_correction')).rows[0]!.version,
      drift: (await tx.query<Drift>(DRIFT)).rows,
    }));
    if (drift.length === 0) return 0;
    return this.db.transaction(async (tx) => {
      const { rowCount } = await tx.query(
        'update billing.usage_correction set version = version + 1 where version = $1',
        [version],
      );
      if (rowCount === 0) return null;
      await tx.query(CORRECT, [
        drift.map((row) => row.account_id),
        drift.map((row) => row.day),
        drift.map((row) => row.key_prefix),
        drift.map((row) => row.charges),
        drift.map((row) => row.amount),
      ]);
      return drift.length;
    });
  }
}
