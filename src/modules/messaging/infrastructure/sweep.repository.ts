import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { Message } from '../domain/message.js';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './message-row.js';
import { MessagingDatabase } from './messaging.storage.js';

/** What the sweeps read, and how far they have come. */
@Injectable()
export class SweepRepository {
  constructor(private readonly db: MessagingDatabase) {}

  /**
   * Messages that are not final although their validity ended `graceMs` ago, the longest overdue first; those behind
   * one of them where it is given.
   */
  async overdue(
    graceMs: number,
    limit: number,
    after: Pick<Message, 'validUntil' | 'id'> | null = null,
  ): Promise<Message[]> {
    const { rows } = await this.db.query<MessageRow>({
      name: 'messaging-overdue',
      text: `select ${MESSAGE_COLUMNS} from messaging.message where status in ('queued', 'accepted', 'sent')
        and valid_until < statement_timestamp() - $1 * interval '1 ms'
        and ($3::timestamptz is null or (valid_until, id) > ($3, $4::uuid))
        order by valid_until, id limit $2`,
      values: [graceMs, limit, after?.validUntil ?? null, after?.id ?? null],
    });
    return rows.map(toMessage);
  }

  /** Where a sweep stands; null before its first step. */
  async position(name: string): Promise<string | null> {
    const { rows } = await this.db.query<{ position: string }>('select position from messaging.sweep where name = $1', [
      name,
    ]);
    return rows[0]?.position ?? null;
  }

  async advance(name: string, position: string, tx: Queryable = this.db): Promise<void> {
    await tx.query(
      `insert into messaging.sweep (name, position) values ($1, $2)
        on conflict (name) do update set position = greatest(messaging.sweep.position, excluded.position)`,
      [name, position],
    );
  }
}
