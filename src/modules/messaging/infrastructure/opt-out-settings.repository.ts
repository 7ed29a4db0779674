import { Injectable } from '@nestjs/common';
import type { OptOutSettings } from '../domain/opt-out-keywords.js';
import { MessagingDatabase } from './messaging.storage.js';

/** What was set for a number, a service (by id) or, where the scope is empty, an account. */
export interface StoredSettings {
  readonly scope: string;
  readonly settings: OptOutSettings;
  readonly updatedAt: Date;
}

interface Row {
  account_id: string;
  scope: string;
  settings: OptOutSettings;
  updated_at: Date;
}

/** Customers' own keywords and answers. */
@Injectable()
export class OptOutSettingsRepository {
  constructor(private readonly db: MessagingDatabase) {}

  /** Those of some scopes of some accounts that were set, by account and scope. */
  async find(scopes: readonly { accountId: string; scope: string }[]): Promise<Map<string, StoredSettings>> {
    if (scopes.length === 0) return new Map();
    const { rows } = await this.db.query<Row>(
      `select account_id, scope, settings, updated_at from messaging.opt_out_setting
        where (account_id, scope) in (select * from unnest($1::uuid[], $2::text[]))`,
      [scopes.map((one) => one.accountId), scopes.map((one) => one.scope)],
    );
    return new Map(
      rows.map((row) => [
        `${row.account_id}/${row.scope}`,
        { scope: row.scope, settings: row.settings, updatedAt: row.updated_at },
      ]),
    );
  }

  async set(accountId: string, scope: string, settings: OptOutSettings): Promise<void> {
    await this.db.control.query(
      `insert into messaging.opt_out_setting (account_id, scope, settings) values ($1, $2, $3)
        on conflict (account_id, scope) do update set settings = excluded.settings, updated_at = clock_timestamp()`,
      [accountId, scope, JSON.stringify(settings)],
    );
  }

  async remove(accountId: string, scope: string): Promise<void> {
    await this.db.control.query('delete from messaging.opt_out_setting where account_id = $1 and scope = $2', [
      accountId,
      scope,
    ]);
  }
}
