import { Injectable } from '@nestjs/common';
import type { ListFilter, ListPosition, MessageView } from '../domain/message-view.js';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './message-row.js';
import { MessagingDatabase } from './messaging.storage.js';

interface ViewRow extends MessageRow {
  direction: string;
  body: string;
  created_at: Date;
  updated_at: Date;
  price_micros: string;
  currency: string;
}

const VIEW_COLUMNS = `${MESSAGE_COLUMNS}, direction, body, created_at, updated_at, price_micros, currency`;

/** Reads messages for those who ask for them: one account's, never another's. */
@Injectable()
export class MessageViews {
  constructor(private readonly db: MessagingDatabase) {}

  /** One message; null when the account has none of that id, or, unless asked for, when it was deleted. */
  async find(accountId: string, id: string, options: { deleted?: boolean } = {}): Promise<MessageView | null> {
    const { rows } = await this.db.query<ViewRow>({
      name: 'messaging-find',
      text: `select ${VIEW_COLUMNS} from messaging.message
        where account_id = $1 and id = $2 and status <> 'abandoned' and ($3 or deleted_at is null)`,
      values: [accountId, id, options.deleted ?? false],
    });
    return rows[0] ? toView(rows[0]) : null;
  }

  /**
   * A page of the account's messages, at most `limit`: from the newest on, or those older than an id (newest first), or
   * those newer than an id (oldest first).
   */
  async list(accountId: string, filter: ListFilter, from: ListPosition, limit: number): Promise<MessageView[]> {
    const { rows } = await this.db.control.query<ViewRow>(
      `select ${VIEW_COLUMNS} from messaging.message
        where account_id = $1 and deleted_at is null
          and ($2::uuid is null or id < $2) and ($3::uuid is null or id > $3)
          and ($4::text is null or to_number = $4) and ($5::text is null or from_number = $5)
          and ($6::timestamptz is null or sent_at >= $6) and ($7::timestamptz is null or sent_at < $7)
        order by id ${from.newerThan ? 'asc' : 'desc'} limit $8`,
      [
        accountId,
        from.olderThan ?? null,
        from.newerThan ?? null,
        filter.to ?? null,
        filter.from ?? null,
        filter.sentFrom ?? null,
        filter.sentBefore ?? null,
        limit,
      ],
    );
    return rows.map(toView);
  }
}

function toView(row: ViewRow): MessageView {
  return {
    ...toMessage(row),
    direction: row.direction,
    body: row.body,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    priceMicros: Number(row.price_micros),
    currency: row.currency,
  };
}
