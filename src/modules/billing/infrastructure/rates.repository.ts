import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { StoredRate } from '../domain/rates.js';
import { BillingOrm } from './billing.orm.js';
import { BillingDatabase } from './billing.storage.js';

interface RateRow {
  id: string;
  account_id: string;
  prefix: string;
  price_micros: string;
  currency: string;
  version: number;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = 'id, account_id, prefix, price_micros, currency, version, created_at, updated_at';

/** The rates of segments, general ones and those of single accounts. */
@Injectable()
export class RatesRepository {
  constructor(
    private readonly db: BillingDatabase,
    private readonly orm: BillingOrm,
  ) {}

  /** All rates of one account, without the general ones. */
  async ratesOf(accountId: string): Promise<StoredRate[]> {
    const { rows } = await this.db.query<RateRow>({
      name: 'billing-rates-of',
      text: `select ${COLUMNS} from billing.rate where account_id = $1`,
      values: [accountId],
    });
    return rows.map(toRate);
  }

  /** How many rates an account has, or there are in all. */
  async count(accountId?: string): Promise<number> {
    return this.orm.rate.count({ where: accountId === undefined ? {} : { accountId } });
  }

  /** Sets the price of a prefix: the rate keeps its id, and has a new version where its price changes. */
  async set(
    tx: Queryable,
    rate: Pick<StoredRate, 'id' | 'accountId' | 'prefix' | 'priceMicros' | 'currency'>,
  ): Promise<StoredRate> {
    const { rows } = await tx.query<RateRow>(
      `insert into billing.rate as r (id, account_id, prefix, price_micros, currency) values ($1, $2, $3, $4, $5)
        on conflict (account_id, prefix) do update set price_micros = excluded.price_micros,
          currency = excluded.currency, version = r.version + 1, updated_at = clock_timestamp()
        returning ${COLUMNS}`,
      [rate.id, rate.accountId, rate.prefix, rate.priceMicros, rate.currency],
    );
    return toRate(rows[0]!);
  }

  /** Takes a rate away; returns it as it was, or null when there is none. */
  async remove(tx: Queryable, id: string): Promise<StoredRate | null> {
    const { rows } = await tx.query<RateRow>(`delete from billing.rate where id = $1 returning ${COLUMNS}`, [id]);
    return rows[0] ? toRate(rows[0]) : null;
  }

  /** All rates, newest first, from after an id, at most `limit`. */
  async list(afterId: string | null, limit: number): Promise<StoredRate[]> {
    const rows = await this.orm.rate.findMany({
      where: afterId === null ? {} : { id: { lt: afterId } },
      orderBy: { id: 'desc' },
      take: limit,
    });
    return rows.map((row) => ({ ...row, priceMicros: Number(row.priceMicros) }));
  }
}

function toRate(row: RateRow): StoredRate {
  return {
    id: row.id,
    accountId: row.account_id,
    prefix: row.prefix,
    priceMicros: Number(row.price_micros),
    currency: row.currency,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
