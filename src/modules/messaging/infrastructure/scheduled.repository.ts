import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { NewEvent } from '../../../shared/define-event.js';
import type { Message } from '../domain/message.js';
import { MessageCounts } from './message-counts.js';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './message-row.js';
import { MessagingDatabase, MessagingLog } from './messaging.storage.js';

/** A scheduled message whose time has come. */
export interface DueMessage {
  readonly message: Message;
  readonly isFromAsked: boolean;
  /** Whether its account is suspended or closed. */
  readonly isHalted: boolean;
}

interface DueRow extends MessageRow {
  from_asked: boolean;
  halted: boolean;
}

/** At most how many instants and tenants get a share of one page. */
const MAX_PLACES = 100;

/**
 * What is due: a share for each instant and tenant, the earliest first, by one index probe for each; whatever waits for
 * a later time is not looked at. Nothing is locked: who takes it decides under its lock.
 */
const DUE = `with recursive place as (
    (select send_at, account_id from messaging.message where status = 'scheduled' and send_at <= statement_timestamp()
      order by send_at, account_id limit 1)
    union all
    select next.* from place, lateral (
      select m.send_at, m.account_id from messaging.message m
      where m.status = 'scheduled' and m.send_at <= statement_timestamp()
        and (m.send_at, m.account_id) > (place.send_at, place.account_id)
      order by m.send_at, m.account_id limit 1) next
  ), early as materialized (select * from place limit ${MAX_PLACES})
  select m.*, exists (select from messaging.account_status s where s.account_id = m.account_id and s.halted) as halted
  from early cross join lateral (
    select ${MESSAGE_COLUMNS}, from_asked from messaging.message
    where status = 'scheduled' and send_at = early.send_at and account_id = early.account_id
    order by id limit (select greatest(1, $1::int / count(*)) from early)) m`;

const SAVE = `update messaging.message m set version = i.version, status = i.status, from_number = i.from_number,
    queue = i.queue, error_code = i.error_code, updated_at = statement_timestamp()
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::int[])
    as i(account_id, id, version, status, from_number, queue, error_code)
  where m.account_id = i.account_id and m.id = i.id`;

/** Scheduled messages as their time comes. */
@Injectable()
export class ScheduledRepository {
  constructor(
    private readonly db: MessagingDatabase,
    private readonly log: MessagingLog,
    private readonly counts: MessageCounts,
  ) {}

  /** About `limit` of the messages that are due. */
  async due(limit: number): Promise<DueMessage[]> {
    const { rows } = await this.db.query<DueRow>({ name: 'messaging-due', text: DUE, values: [limit] });
    return rows.map((row) => ({ message: toMessage(row), isFromAsked: row.from_asked, isHalted: row.halted }));
  }

  /**
   * Writes what became of them and, last, their events. The rows are locked by this transaction.
   *
   * @returns what to call after the commit: wakes the consumers and counts
   */
  async save(tx: Queryable, messages: readonly Message[], events: readonly NewEvent[]): Promise<() => void> {
    if (messages.length === 0) return () => undefined;
    const values = [
      messages.map((m) => m.accountId),
      messages.map((m) => m.id),
      messages.map((m) => m.version),
      messages.map((m) => m.status),
      messages.map((m) => m.from),
      messages.map((m) => m.queue),
      messages.map((m) => m.errorCode),
    ];
    const appended = await this.log.appendWith(tx, { name: 'messaging-depart', text: SAVE, values }, events);
    return () => {
      this.log.committed(appended);
      this.counts.count(events);
    };
  }

  /** How many are scheduled and overdue by now, counted up to `most`. */
  async overdue(most: number): Promise<number> {
    const { rows } = await this.db.control.query<{ count: number }>(
      `select count(*)::int as count from (select from messaging.message
        where status = 'scheduled' and send_at <= statement_timestamp() limit $1) due`,
      [most],
    );
    return rows[0]!.count;
  }
}
