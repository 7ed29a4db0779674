import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import { MessagingDatabase } from './messaging.storage.js';

/** Why a waiting message is to end. */
export type EndReason = 'canceled' | 'halted' | 'opted_out';

export interface MessageKey {
  readonly accountId: string;
  readonly id: string;
}

export interface Ending extends MessageKey {
  readonly reason: EndReason;
}

/** Waiting messages that are to end: noted first, so that a crash before their end does not leave them between. */
@Injectable()
export class EndingsRepository {
  constructor(private readonly db: MessagingDatabase) {}

  /** Notes that messages are to end; one that is noted already keeps its reason. */
  async note(endings: readonly Ending[]): Promise<void> {
    // In the order of their keys, so that two that note the same do not wait for each other.
    await this.db.query(
      `insert into messaging.ending (account_id, id, reason)
        select * from unnest($1::uuid[], $2::uuid[], $3::text[]) as i(account_id, id, reason) order by account_id, id
        on conflict do nothing`,
      [endings.map((one) => one.accountId), endings.map((one) => one.id), endings.map((one) => one.reason)],
    );
  }

  /**
   * Those that were noted this long ago and are there still, the oldest first; and those whose recipient opted out: whoever
   * notes these leaves their end to the sweep.
   */
  async left(ageMs: number, limit: number): Promise<Ending[]> {
    const { rows } = await this.db.query<{ account_id: string; id: string; reason: EndReason }>({
      name: 'messaging-endings-left',
      text: `select account_id, id, reason from messaging.ending
        where noted_at < clock_timestamp() - $1 * interval '1 ms' or reason = 'opted_out' order by noted_at limit $2`,
      values: [ageMs, limit],
    });
    return rows.map((row) => ({ accountId: row.account_id, id: row.id, reason: row.reason }));
  }

  /** Nothing is left to do for these. Their messages are locked by this transaction. */
  async forget(tx: Queryable, keys: readonly MessageKey[]): Promise<void> {
    await tx.query(
      `delete from messaging.ending where (account_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))`,
      [keys.map((key) => key.accountId), keys.map((key) => key.id)],
    );
  }
}
