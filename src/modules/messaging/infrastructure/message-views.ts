import { Injectable } from '@nestjs/common';
import { idFloor, parseSid, sidOf } from '../../../shared/sid.js';
import type { ReceivedText } from '../contract/messaging.api.js';
import { type MessageStatus, WAITING } from '../domain/message.js';
import type { ListFilter, ListPosition, MessageView } from '../domain/message-view.js';
import { LATEST_MS } from '../domain/schedule.js';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './message-row.js';
import { MessagingDatabase } from './messaging.storage.js';

interface ViewRow extends MessageRow {
  direction: string;
  body: string;
  created_at: Date;
  updated_at: Date;
  send_at: Date | null;
  price_micros: string;
  currency: string;
}

const VIEW_COLUMNS = `${MESSAGE_COLUMNS}, direction, body, created_at, updated_at, send_at, price_micros, currency`;

/** What is under way: neither final nor scheduled. */
const LIVE: readonly MessageStatus[] = [...WAITING, 'sent'];
/** Those that the indexes by number hold: final outgoing messages in one, incoming ones in another. */
const ENDED: readonly MessageStatus[] = ['delivered', 'undelivered', 'failed', 'canceled'];
const RECEIVED: readonly MessageStatus[] = ['received'];
const SCHEDULED: readonly MessageStatus[] = ['scheduled'];
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const HOUR_MS = 3_600_000;
/** The clocks that give ids and those that say when a message was sent differ by less. */
const CLOCKS_APART_MS = HOUR_MS;
/** A message is sent while it is valid, ten hours at most after it was made; one that was scheduled, after its time. */
const MAX_SENT_AFTER_MS = 10 * HOUR_MS + CLOCKS_APART_MS;
const MAX_SCHEDULED_SENT_AFTER_MS = LATEST_MS + MAX_SENT_AFTER_MS;

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
  if (filter.sentFrom) wanted.push(dated('>=', value(filter.sentFrom)));
  if (filter.sentBefore) {
    wanted.push(dated('<', value(filter.sentBefore)));
    wanted.push(`id < ${value(idFloor(filter.sentBefore.getTime() + CLOCKS_APART_MS))}`);
  }
  const branches = branchesOf(filter, value);
  const end = `order by id ${from.newerThan ? 'asc' : 'desc'} limit ${value(limit)}`;
  const [first, ...more] = branches.map((branch) => {
    const where = [...wanted, ...branch].join(' and ');
    return `select ${VIEW_COLUMNS} from messaging.message where ${where} ${end}`;
  });
  if (more.length === 0) return { text: first!, values };
  const all = [first, ...more].map((select) => `(${select})`).join(' union all ');
  return { text: `select * from (${all}) m ${end}`, values };
}

/** By when it was sent, or is to be. */
function dated(operator: string, instant: string): string {
  return `(sent_at ${operator} ${instant} or (status = 'scheduled' and send_at ${operator} ${instant}))`;
}

/** The parts that a list is read in, each by an index of its own, with the conditions that tell them apart. */
function branchesOf(filter: ListFilter, value: (given: unknown) => string): string[][] {
  const sentFromMs = filter.sentFrom?.getTime();
  const earliest = (beforeMs: number) => value(idFloor(sentFromMs! - beforeMs));
  if (filter.to || filter.from) {
    // The indexes by number hold final messages, incoming and scheduled ones, each their own; the others are few.
    const after = sentFromMs === undefined ? [] : [`id >= ${earliest(MAX_SCHEDULED_SENT_AFTER_MS)}`];
    return [ENDED, RECEIVED, LIVE, SCHEDULED].map((statuses) => [...after, statusIn(statuses)]);
  }
  if (sentFromMs === undefined) return [[]];
  // What was sent soon after it was made, and of what is older only that which was scheduled.
  const soon = earliest(MAX_SENT_AFTER_MS);
  return [[`id >= ${soon}`], [`id < ${soon}`, `id >= ${earliest(MAX_SCHEDULED_SENT_AFTER_MS)}`, 'send_at is not null']];
}

function statusIn(statuses: readonly MessageStatus[]): string {
  return statuses.length === 1 ? `status = '${statuses[0]}'` : `status in ('${statuses.join("', '")}')`;
}

function toView(row: ViewRow): MessageView {
  return {
    ...toMessage(row),
    direction: row.direction === 'outbound-keyword' ? 'outbound-reply' : row.direction,
    body: row.body,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    sendAt: row.send_at,
    priceMicros: Number(row.price_micros),
    currency: row.currency,
  };
}
