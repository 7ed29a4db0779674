import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import { type Balance, type Credit, FUNDING_ID } from '../domain/ledger.js';
import { BillingOrm } from './billing.orm.js';

interface CreditRow {
  account_id: string;
  key: string;
  entry_key: string;
  amount_micros: string;
  reason: string;
  created_at: Date;
}

/** How many messages of an account may be accepted a day; null: any. `version`: of the event of accounts that says so. */
export interface Quota {
  readonly accountId: string;
  readonly limit: number | null;
  readonly version: number;
}

/** The customers' accounts of the ledger, and what was credited to them. */
@Injectable()
export class LedgerAccountsRepository {
  constructor(private readonly orm: BillingOrm) {}

  /** Opens the ledger account of a customer, with its daily quota (null: none); false when it was open before. */
  async open(tx: Queryable, accountId: string, currency: string, quota: number | null = null): Promise<boolean> {
    const { rowCount } = await tx.query(
      `insert into billing.ledger_account (id, kind, currency, quota_limit) values ($1, 'customer', $2, $3)
        on conflict do nothing`,
      [accountId, currency, quota],
    );
    return rowCount === 1;
  }

  /**
   * Sets daily quotas, one for each account. One that is older than what the account has, or whose account has no
   * ledger, is left out. Locks the accounts in the order of their ids, as every writer does.
   */
  async setQuotas(tx: Queryable, quotas: readonly Quota[]): Promise<void> {
    const ids = quotas.map((quota) => quota.accountId);
    await tx.query('select from billing.ledger_account where id = any($1::uuid[]) order by id for no key update', [
      ids,
    ]);
    await tx.query(
      `update billing.ledger_account a set quota_limit = q.quota, limits_version = q.version
        from unnest($1::uuid[], $2::integer[], $3::integer[]) as q(id, quota, version)
        where a.id = q.id and a.kind = 'customer' and a.limits_version < q.version`,
      [ids, quotas.map((quota) => quota.limit), quotas.map((quota) => quota.version)],
    );
  }

  /** The balance of a customer, or null when its ledger is not open. */
  async balance(accountId: string): Promise<Balance | null> {
    return this.orm.ledgerAccount.findUnique({
      where: { id: accountId, kind: 'customer' },
      select: {
        currency: true,
        balanceMicros: true,
        reservedMicros: true,
        limitMicros: true,
        reservedCount: true,
        quotaDay: true,
        quotaUsed: true,
        quotaLimit: true,
      },
    });
  }

  /** When the ledger of a customer was opened; null when it is not. */
  async openedAt(accountId: string): Promise<Date | null> {
    const select = { createdAt: true };
    return (
      (await this.orm.ledgerAccount.findUnique({ where: { id: accountId, kind: 'customer' }, select }))?.createdAt ??
      null
    );
  }

  /** Locks a customer's account and the one that credits come from, in the order of their ids as every writer does. */
  async lockForCredit(tx: Queryable, accountId: string): Promise<void> {
    await tx.query('select from billing.ledger_account where id = any($1::uuid[]) order by id for no key update', [
      [accountId, FUNDING_ID],
    ]);
  }

  async findCredit(on: Queryable, accountId: string, key: string): Promise<Credit | null> {
    const { rows } = await on.query<CreditRow>(
      `select account_id, key, entry_key, amount_micros, reason, created_at from billing.credit
        where account_id = $1 and key = $2`,
      [accountId, key],
    );
    return rows[0] ? toCredit(rows[0]) : null;
  }

  /** Moves money to a customer under both accounts' locks; returns the credit and the account's new version. */
  async credit(
    tx: Queryable,
    credit: Omit<Credit, 'createdAt'>,
  ): Promise<{ credit: Credit; currency: string; version: number }> {
    const { accountId, entryKey, amountMicros } = credit;
    await tx.query(
      `insert into billing.entry (key, phase, kind, key_prefix, debit_id, credit_id, amount_micros)
        values ($1, 1, 'credit', '', $2, $3, $4)`,
      [entryKey, FUNDING_ID, accountId, amountMicros],
    );
    const { rows: accounts } = await tx.query<{ id: string; currency: string; version: number }>(
      `update billing.ledger_account set version = version + 1,
          balance_micros = balance_micros + case id when $1::uuid then $3::bigint else -$3::bigint end
        where id in ($1::uuid, $2::uuid) returning id, currency, version`,
      [accountId, FUNDING_ID, amountMicros],
    );
    const { rows } = await tx.query<CreditRow>(
      `insert into billing.credit (account_id, key, entry_key, amount_micros, reason) values ($1, $2, $3, $4, $5)
        returning account_id, key, entry_key, amount_micros, reason, created_at`,
      [accountId, credit.key, entryKey, amountMicros, credit.reason],
    );
    const { currency, version } = accounts.find((account) => account.id === accountId)!;
    return { credit: toCredit(rows[0]!), currency, version };
  }

  /** The credits of an account, newest first, from after an entry's key, at most `limit`. */
  async credits(accountId: string, afterEntryKey: string | null, limit: number): Promise<Credit[]> {
    return this.orm.credit.findMany({
      where: { accountId, ...(afterEntryKey === null ? {} : { entryKey: { lt: afterEntryKey } }) },
      orderBy: { entryKey: 'desc' },
      take: limit,
    });
  }
}

function toCredit(row: CreditRow): Credit {
  return {
    accountId: row.account_id,
    key: row.key,
    entryKey: row.entry_key,
    amountMicros: BigInt(row.amount_micros),
    reason: row.reason,
    createdAt: row.created_at,
  };
}
