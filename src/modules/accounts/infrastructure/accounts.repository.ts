import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { SmsMethod } from '../contract/accounts.api.js';
import type { AccountState } from '../domain/account.js';
import { AccountsDatabase } from './accounts.storage.js';

/** An account with its sealed auth token. */
export interface StoredAccount {
  readonly account: AccountState;
  readonly sealedToken: Uint8Array;
}

export interface StoredKey {
  readonly accountId: string;
  readonly secretHash: Buffer;
}

/** A number with its owner and whom it asks about incoming messages. */
export interface StoredNumber {
  readonly id: string;
  readonly phoneNumber: string;
  readonly accountId: string;
  readonly smsUrl: string | null;
  readonly smsMethod: SmsMethod;
  readonly smsFallbackUrl: string | null;
  readonly smsFallbackMethod: SmsMethod;
}

/** What an account sets for a number of its own; what is absent stays, null takes away. */
export interface NumberChange {
  readonly friendlyName?: string | null;
  readonly smsUrl?: string | null;
  readonly smsMethod?: SmsMethod;
  readonly smsFallbackUrl?: string | null;
  readonly smsFallbackMethod?: SmsMethod;
}

const NUMBER_COLUMNS: Readonly<Record<keyof NumberChange, string>> = {
  friendlyName: 'friendly_name',
  smsUrl: 'sms_url',
  smsMethod: 'sms_method',
  smsFallbackUrl: 'sms_fallback_url',
  smsFallbackMethod: 'sms_fallback_method',
};

interface AccountRow {
  id: string;
  friendly_name: string;
  tier: AccountState['tier'];
  status: AccountState['status'];
  close_reason: string | null;
  owner_id: string | null;
  auth_token: Buffer;
  messages_per_minute: number | null;
  messages_per_second: number | null;
  messages_per_day: number | null;
  unknown_outcome: AccountState['unknownOutcome'];
  version: number;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = `id, friendly_name, tier, status, close_reason, owner_id, auth_token, messages_per_minute,
  messages_per_second, messages_per_day, unknown_outcome, version, created_at, updated_at`;

/** The rows of accounts, their keys and numbers: what is read to authenticate, and what changes with an event. */
@Injectable()
export class AccountsRepository {
  constructor(private readonly db: AccountsDatabase) {}

  /** The account, or null. */
  async find(id: string): Promise<StoredAccount | null> {
    const { rows } = await this.db.query<AccountRow>({
      name: 'accounts-find',
      text: `select ${COLUMNS} from accounts.account where id = $1`,
      values: [id],
    });
    return rows[0] ? toStored(rows[0]) : null;
  }

  /** The API key, unless it is revoked or there is none. */
  async findKey(id: string): Promise<StoredKey | null> {
    const { rows } = await this.db.query<{ account_id: string; secret_hash: Buffer }>({
      name: 'accounts-find-key',
      text: 'select account_id, secret_hash from accounts.api_key where id = $1 and revoked_at is null',
      values: [id],
    });
    return rows[0] ? { accountId: rows[0].account_id, secretHash: rows[0].secret_hash } : null;
  }

  /** The account that owns a number, or null. */
  async findOwner(tx: Queryable, phoneNumber: string): Promise<Pick<AccountState, 'id' | 'status'> | null> {
    const { rows } = await tx.query<Pick<AccountState, 'id' | 'status'>>(
      `select a.id, a.status from accounts.phone_number n join accounts.account a on a.id = n.account_id
        where n.phone_number = $1`,
      [phoneNumber],
    );
    return rows[0] ?? null;
  }

  /** Those of the numbers that somebody owns. */
  async findNumbers(phoneNumbers: readonly string[]): Promise<StoredNumber[]> {
    const { rows } = await this.db.query<StoredNumber>({
      name: 'accounts-find-numbers',
      text: `select id, phone_number as "phoneNumber", account_id as "accountId", sms_url as "smsUrl",
          sms_method as "smsMethod", sms_fallback_url as "smsFallbackUrl", sms_fallback_method as "smsFallbackMethod"
        from accounts.phone_number where phone_number = any($1::text[])`,
      values: [phoneNumbers],
    });
    return rows;
  }

  /** Reads an account and keeps it from changing until the transaction ends; null when there is none. */
  async lock(tx: Queryable, id: string): Promise<AccountState | null> {
    const { rows } = await tx.query<AccountRow>(
      `select ${COLUMNS} from accounts.account where id = $1 for no key update`,
      [id],
    );
    return rows[0] ? toStored(rows[0]).account : null;
  }

  /** The same for all that an account owns and that are not closed, in one order. */
  async lockOwned(tx: Queryable, ownerId: string): Promise<AccountState[]> {
    const { rows } = await tx.query<AccountRow>(
      `select ${COLUMNS} from accounts.account where owner_id = $1 and status <> 'closed' order by id for no key update`,
      [ownerId],
    );
    return rows.map((row) => toStored(row).account);
  }

  /** Writes a new account; null when there is one with its id already. */
  async insert(tx: Queryable, account: AccountState, sealedToken: Uint8Array): Promise<AccountState | null> {
    const { rows } = await tx.query<AccountRow>(
      `insert into accounts.account (id, friendly_name, tier, status, owner_id, auth_token, version)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing returning ${COLUMNS}`,
      [account.id, account.friendlyName, account.tier, account.status, account.ownerId, sealedToken, account.version],
    );
    return rows[0] ? toStored(rows[0]).account : null;
  }

  /** Writes what may change of an account, in the transaction that holds its lock. */
  async save(tx: Queryable, account: AccountState): Promise<AccountState> {
    const { rows } = await tx.query<AccountRow>(
      `update accounts.account set tier = $2, status = $3, close_reason = $4, messages_per_minute = $5,
          messages_per_day = $6, unknown_outcome = $7, version = $8, messages_per_second = $9, friendly_name = $10,
          updated_at = clock_timestamp()
        where id = $1 returning ${COLUMNS}`,
      [
        account.id,
        account.tier,
        account.status,
        account.closeReason,
        account.messagesPerMinute,
        account.messagesPerDay,
        account.unknownOutcome,
        account.version,
        account.messagesPerSecond,
        account.friendlyName,
      ],
    );
    return toStored(rows[0]!).account;
  }

  async replaceToken(tx: Queryable, id: string, sealedToken: Uint8Array): Promise<void> {
    await tx.query('update accounts.account set auth_token = $2 where id = $1', [id, sealedToken]);
  }

  async insertKey(tx: Queryable, key: { id: string; friendlyName: string } & StoredKey): Promise<Date> {
    const { rows } = await tx.query<{ created_at: Date }>(
      `insert into accounts.api_key (id, account_id, friendly_name, secret_hash) values ($1, $2, $3, $4)
        returning created_at`,
      [key.id, key.accountId, key.friendlyName, key.secretHash],
    );
    return rows[0]!.created_at;
  }

  /** Names a key of the account; false when it has none such, or it is revoked. */
  async renameKey(tx: Queryable, accountId: string, id: string, friendlyName: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      `update accounts.api_key set friendly_name = $3, updated_at = clock_timestamp()
        where id = $1 and account_id = $2 and revoked_at is null`,
      [id, accountId, friendlyName],
    );
    return rowCount === 1;
  }

  /** How many keys of the account are not revoked. */
  async countKeys(tx: Queryable, accountId: string): Promise<number> {
    const { rows } = await tx.query<{ keys: number }>(
      'select count(*)::integer as keys from accounts.api_key where account_id = $1 and revoked_at is null',
      [accountId],
    );
    return rows[0]!.keys;
  }

  /** How many accounts an account owns. */
  async countSubaccounts(tx: Queryable, ownerId: string): Promise<number> {
    const { rows } = await tx.query<{ accounts: number }>(
      'select count(*)::integer as accounts from accounts.account where owner_id = $1',
      [ownerId],
    );
    return rows[0]!.accounts;
  }

  /** Revokes a key of the account; false when it has none such, or it is revoked already. */
  async revokeKey(tx: Queryable, accountId: string, id: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      `update accounts.api_key set revoked_at = clock_timestamp(), updated_at = clock_timestamp()
        where id = $1 and account_id = $2 and revoked_at is null`,
      [id, accountId],
    );
    return rowCount === 1;
  }

  /** Gives a number that nobody owns to an account; false when somebody owns it. */
  async insertNumber(tx: Queryable, id: string, accountId: string, phoneNumber: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      `insert into accounts.phone_number (id, account_id, phone_number) values ($1, $2, $3)
        on conflict (phone_number) do nothing`,
      [id, accountId, phoneNumber],
    );
    return rowCount === 1;
  }

  /** Writes what the account set for a number of its own; null when it has none such. */
  async changeNumber(
    tx: Queryable,
    accountId: string,
    id: string,
    change: NumberChange,
  ): Promise<{ phoneNumber: string } | null> {
    const given = Object.entries(NUMBER_COLUMNS).filter(([name]) => change[name as keyof NumberChange] !== undefined);
    const settings = given.map(([, column], index) => `${column} = $${index + 3}`);
    const { rows } = await tx.query<{ phoneNumber: string }>(
      `update accounts.phone_number set ${[...settings, 'updated_at = clock_timestamp()'].join(', ')}
        where id = $1 and account_id = $2 returning phone_number as "phoneNumber"`,
      [id, accountId, ...given.map(([name]) => change[name as keyof NumberChange])],
    );
    return rows[0] ?? null;
  }

  /** Takes a number from its account; null when that has none such. */
  async deleteNumber(tx: Queryable, accountId: string, id: string): Promise<{ phoneNumber: string } | null> {
    const { rows } = await tx.query<{ phoneNumber: string }>(
      'delete from accounts.phone_number where id = $1 and account_id = $2 returning phone_number as "phoneNumber"',
      [id, accountId],
    );
    return rows[0] ?? null;
  }

  /** Gives a number to another account, without what the one before had set for it. */
  async moveNumber(tx: Queryable, accountId: string, phoneNumber: string): Promise<void> {
    await tx.query(
      `update accounts.phone_number set account_id = $1, friendly_name = null, sms_url = null, sms_method = 'POST',
          sms_fallback_url = null, sms_fallback_method = 'POST', updated_at = clock_timestamp()
        where phone_number = $2`,
      [accountId, phoneNumber],
    );
  }
}

function toStored(row: AccountRow): StoredAccount {
  return {
    account: {
      id: row.id,
      friendlyName: row.friendly_name,
      tier: row.tier,
      status: row.status,
      closeReason: row.close_reason,
      ownerId: row.owner_id,
      messagesPerMinute: row.messages_per_minute,
      messagesPerSecond: row.messages_per_second,
      messagesPerDay: row.messages_per_day,
      unknownOutcome: row.unknown_outcome,
      version: row.version,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    },
    sealedToken: row.auth_token,
  };
}
