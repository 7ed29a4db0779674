import { Injectable } from '@nestjs/common';
import { MessagingDatabase } from './messaging.storage.js';

/** One answer of an incoming message. */
export interface ReplyKey {
  readonly accountId: string;
  readonly inboundId: string;
  readonly ordinal: number;
}

/** Which message answers an incoming one. */
@Injectable()
export class RepliesRepository {
  constructor(private readonly db: MessagingDatabase) {}

  /** The id of the message that is, or was to be, this answer; null where nobody tried yet. */
  async find({ accountId, inboundId, ordinal }: ReplyKey): Promise<string | null> {
    const { rows } = await this.db.query<{ message_id: string }>(
      'select message_id from messaging.reply where account_id = $1 and inbound_id = $2 and ordinal = $3',
      [accountId, inboundId, ordinal],
    );
    return rows[0]?.message_id ?? null;
  }

  /** Names the message that is to be this answer, in place of another, or of none. False where somebody was quicker. */
  async claim({ accountId, inboundId, ordinal }: ReplyKey, messageId: string, before: string | null): Promise<boolean> {
    const values = [accountId, inboundId, ordinal, messageId];
    const { rowCount } =
      before === null
        ? await this.db.query(
            `insert into messaging.reply (account_id, inbound_id, ordinal, message_id) values ($1, $2, $3, $4)
              on conflict do nothing`,
            values,
          )
        : await this.db.query(
            `update messaging.reply set message_id = $4
              where account_id = $1 and inbound_id = $2 and ordinal = $3 and message_id = $5`,
            [...values, before],
          );
    return rowCount === 1;
  }
}
