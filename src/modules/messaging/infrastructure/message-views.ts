import { Injectable } from '@nestjs/common';
import { idFloor, parseSid, sidOf } from '../../../shared/sid.js';
import type { ReceivedText } from '../contract/messaging.api.js';
import { type MessageStatus, WAITING } from '../domain/message.js';
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

/** All that customers see and that is not final. */
const LIVE: readonly MessageStatus[] = [...WAITING, 'sent'];
/** Those that the indexes by number hold: final outgoing messages in one, incoming ones in another. */
const ENDED: readonly MessageStatus[] = ['delivered', 'undelivered', 'failed', 'canceled'];
const RECEIVED: readonly MessageStatus[] = ['received'];
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const HOUR_MS = 3_600_000;
/** The clocks that give ids and those that say when a message was sent differ by less. */
const CLOCKS_APART_MS = HOUR_MS;
/** A message is sent while it is valid, ten hours at most after it was made. */
const MAX_SENT_AFTER_MS = 10 * HOUR_MS + CLOCKS_APART_MS;

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

  /** The texts of incoming messages that are not deleted. */
  async receivedTexts(messages: readonly { accountSid: string; messageSid: string }[]): Promise<ReceivedText[]> {
    const ids = messages.flatMap(({ accountSid, messageSid }) => {
      const [accountId, id] = [parseSid('AC', accountSid), parseSid('SM', messageSid)];
      return accountId && id ? { accountId, id } : [];
    });
    const { rows } = await this.db.query<{ id: string; body: string }>({
      name: 'messaging-received-texts',
      text: `select id, body from messaging.message where (account_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))
        and status || '' = 'received' and deleted_at is null`,
      values: [ids.map((one) => one.accountId), ids.map((one) => one.id)],
    });
    return rows.map(({ id, body }) => ({ messageSid: sidOf('SM', id), body }));
  }

  /**
   * A page of the account's messages, at most `limit`: from the newest on, or those older than an id (newest first), or
   * those newer than an id (oldest first).
   */
  async list(accountId: string, filter: ListFilter, from: ListPosition, limit: number): Promise<MessageView[]> {
    const { text, values } = listStatement(accountId, filter, from, limit);
    const { rows } = await this.db.search.query<ViewRow>(text, values);
    return rows.map(toView);
  }
}

/** What is asked for is said, and nothing else: the planner chooses its index by that. */
function listStatement(accountId: string, filter: ListFilter, from: ListPosition, limit: number) {
  const values: unknown[] = [];
  const value = (given: unknown) => `$${values.push(given)}`;
  const wanted = [`account_id = ${value(accountId)}`, 'deleted_at is null'];
  // Always bounded: of a table that was never analysed the planner otherwise reads the whole account, and sorts it.
  wanted.push(`id < ${value(from.olderThan ?? LAST_ID)}`);
  if (from.newerThan) wanted.push(`id > ${value(from.newerThan)}`);
  if (filter.to) wanted.push(`to_number = ${value(filter.to)}`);
  if (filter.from) wanted.push(`from_number = ${value(filter.from)}`);
  if (filter.sentFrom) {
    wanted.push(`sent_at >= ${value(filter.sentFrom)}`);
    wanted.push(`id >= ${value(idFloor(filter.sentFrom.getTime() - MAX_SENT_AFTER_MS))}`);
  }
  if (filter.sentBefore) {
    wanted.push(`sent_at < ${value(filter.sentBefore)}`);
    wanted.push(`id < ${value(idFloor(filter.sentBefore.getTime() + CLOCKS_APART_MS))}`);
  }
  const end = `order by id ${from.newerThan ? 'asc' : 'desc'} limit ${value(limit)}`;
  const where = wanted.join(' and ');
  if (!filter.to && !filter.from) {
    return { text: `select ${VIEW_COLUMNS} from messaging.message where ${where} ${end}`, values };
  }
  // The indexes by number hold no others; those are few.
  const parts = [ENDED, RECEIVED, LIVE].map(
    (statuses) =>
      `(select ${VIEW_COLUMNS} from messaging.message where ${where} and status in ('${statuses.join("', '")}') ${end})`,
  );
  return { text: `select * from (${parts.join(' union all ')}) m ${end}`, values };
}

function toView(row: ViewRow): MessageView {
  return {
    ...toMessage(row),
    direction: row.direction === 'outbound-keyword' ? 'outbound-reply' : row.direction,
    body: row.body,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    priceMicros: Number(row.price_micros),
    currency: row.currency,
  };
}
