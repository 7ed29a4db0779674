import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { NewEvent } from '../../../shared/define-event.js';
import type { Direction, Message } from '../domain/message.js';
import type { Schedule } from '../domain/schedule.js';
import { MessageCounts } from './message-counts.js';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './message-row.js';
import { MessagingDatabase, MessagingLog } from './messaging.storage.js';
import { isOptedOutSql } from './opt-outs.repository.js';

interface AcceptedRow {
  base: string;
  at: Date;
  created_at: Date;
  /** Which messages were written; null for all. */
  ids: string[] | null;
  /** Those that were not, because their recipient has opted out. */
  opted_out: string[] | null;
}

/** A message as it is first written: decided, priced, its text beside it. */
export interface NewMessage {
  readonly message: Message;
  /** By default `outbound-api`. */
  readonly direction?: Direction | undefined;
  /** Absent or null: it is sent at once. */
  readonly schedule?: Schedule | null;
  readonly body: string;
  readonly encoding: 'GSM-7' | 'UCS-2';
  readonly retryUnknown: boolean;
  readonly priceMicros: number;
  readonly currency: string;
  readonly idempotencyKey: string | null;
  /** Milliseconds of the database's clock after which the append must not begin. */
  readonly deadlineMs: number;
  readonly event: NewEvent;
  /** How many instances of this product it has passed through before; none where it is left out. */
  readonly hops?: number;
}

/** What became of a group of new messages. */
export interface Appended {
  /** When each that was written was created, by id. */
  readonly createdAt: ReadonlyMap<string, Date>;
  /** Those that were not written, because their recipients have opted out. */
  readonly optedOut: ReadonlySet<string>;
}

const IS_OPTED_OUT = isOptedOutSql({
  account: 'i.account_id',
  to: 'i.to_number',
  from: 'i.from_number',
  service: 'i.service_id',
  direction: 'i.direction',
});
/** What the rows of scheduled messages have beside the others: columns, types and names. */
const SCHEDULED = {
  columns: ', send_at, from_asked',
  types: ', $24::float8[], $25::boolean[]',
  names: ', send_ms, from_asked',
  values: ', to_timestamp(send_ms / 1000), from_asked',
};
const AT_ONCE: typeof SCHEDULED = { columns: '', types: '', names: '', values: '' };

/**
 * One group of accepted messages: their rows, their first events and the completion of their idempotency keys, in one
 * statement and so in one commit. A row whose deadline has passed by the database's clock, whose id is taken already, or
 * whose recipient has opted out, is left out; the caller finds out which by what is returned.
 */
function appendStatement(log: MessagingLog, more: typeof SCHEDULED): string {
  return `with item as materialized (
    select i.*, ${IS_OPTED_OUT} as opted_out from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::smallint[], $11::uuid[], $12::text[], $13::boolean[], $14::bigint[], $15::text[],
        $16::float8[], $17::float8[], $18::text[], $19::text[], $20::text[], $21::text[], $22::smallint[],
        $23::text[]${more.types}) with ordinality as
      i(account_id, id, status, lane, queue, from_number, to_number, body, encoding, segments, service_id, callback_url,
        retry_unknown, price_micros, currency, valid_ms, deadline_ms, traceparent, idempotency_key, type, data, hops,
        direction${more.names}, ord)
    where clock_timestamp() < to_timestamp(deadline_ms / 1000)
  ), written as (
    insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number, body,
        encoding, segments, service_id, callback_url, retry_unknown, price_micros, currency, created_at, updated_at,
        valid_until, traceparent, hops${more.columns})
    select account_id, id, 1, status, direction, lane, queue, from_number, to_number, body, encoding, segments,
        service_id, callback_url, retry_unknown, price_micros, currency, statement_timestamp(), statement_timestamp(),
        to_timestamp(valid_ms / 1000), traceparent, hops${more.values}
    from item where not opted_out on conflict do nothing returning id
  ), completed as (
    update messaging.idempotency_key k set done = true from item i join written w on w.id = i.id
    where k.account_id = i.account_id and k.key = i.idempotency_key and k.message_id = i.id
  ), fresh as materialized (
    select row_number() over (order by i.ord) as ord, i.id as stream_id, 1 as version, i.type, i.account_id as tenant_id,
      i.data, null::text as causation, i.traceparent
    from item i join written w on w.id = i.id
  ), ${log.headCte('(select count(*) from fresh)')}, event as (
    ${log.insert('head', 'fresh e')}
  ) select base, at, statement_timestamp() as created_at,
      case when (select count(*) from fresh) < cardinality($2::uuid[]) then array(select stream_id from fresh order by ord) end as ids,
      case when (select count(*) from fresh) < cardinality($2::uuid[])
        then array(select id from item where opted_out) end as opted_out
    from head`;
}

const SAVE = `update messaging.message m set version = i.version, status = i.status, carrier = i.carrier,
    receipts = i.receipts, error_code = i.error_code, sent_at = i.sent_at, updated_at = statement_timestamp()
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::bigint[], $7::int[], $8::timestamptz[])
    as i(account_id, id, version, status, carrier, receipts, error_code, sent_at)
  where m.account_id = i.account_id and m.id = i.id`;

/** The rows of messages: the hot statements of the send path. */
@Injectable()
export class MessagesRepository {
  private readonly accept: { readonly name: string; readonly text: string };
  private readonly schedule: { readonly name: string; readonly text: string };

  constructor(
    private readonly db: MessagingDatabase,
    private readonly log: MessagingLog,
    private readonly counts: MessageCounts,
  ) {
    this.accept = { name: 'messaging-accept', text: appendStatement(log, AT_ONCE) };
    this.schedule = { name: 'messaging-schedule', text: appendStatement(log, SCHEDULED) };
  }

  /** Writes a group of new messages, all to be sent at once or all scheduled: those that may be written. */
  async append(items: readonly NewMessage[]): Promise<Appended> {
    const schedules = items.flatMap((item) => item.schedule ?? []);
    const messages = items.map((item) => item.message);
    const { rows } = await this.db.query<AcceptedRow>({
      ...(schedules.length === 0 ? this.accept : this.schedule),
      values: [
        messages.map((m) => m.accountId),
        messages.map((m) => m.id),
        messages.map((m) => m.status),
        messages.map((m) => m.lane),
        messages.map((m) => m.queue),
        messages.map((m) => m.from),
        messages.map((m) => m.to),
        items.map((i) => i.body),
        items.map((i) => i.encoding),
        messages.map((m) => m.segments),
        messages.map((m) => m.serviceId),
        messages.map((m) => m.callbackUrl),
        items.map((i) => i.retryUnknown),
        items.map((i) => i.priceMicros),
        items.map((i) => i.currency),
        messages.map((m) => m.validUntil.getTime()),
        items.map((i) => i.deadlineMs),
        messages.map((m) => m.traceparent),
        items.map((i) => i.idempotencyKey),
        items.map((i) => i.event.type),
        items.map((i) => JSON.stringify(i.event.data)),
        items.map((i) => i.hops ?? 0),
        items.map((i) => i.direction ?? 'outbound-api'),
        ...(schedules.length === 0 ? [] : scheduleColumns(schedules)),
      ],
    });
    const [row] = rows;
    const ids = row!.ids === null ? null : new Set(row!.ids);
    const written = ids === null ? items : items.filter((item) => ids.has(item.message.id));
    if (written.length > 0) {
      const events = written.map((item) => item.event);
      this.log.committed(this.log.appended(events, row!));
      this.counts.count(events);
    }
    return {
      createdAt: new Map(written.map((item) => [item.message.id, row!.created_at])),
      optedOut: new Set(row!.opted_out),
    };
  }

  /** Locks messages in the order of their ids and reads what decisions need; unknown ones are left out. */
  async lock(tx: Queryable, keys: readonly { accountId: string; id: string }[]): Promise<Map<string, Message>> {
    const ordered = [...keys].sort((a, b) => (a.id < b.id ? -1 : 1));
    const { rows } = await tx.query<MessageRow>({
      name: 'messaging-lock',
      // Each row is locked as it is found. Locked after a join that is read to its end, those that must be waited for are
      // lost where they lie in several partitions: PostgreSQL looks for them again in the last one alone.
      text: `select m.* from unnest($1::uuid[], $2::uuid[]) as i(account_id, id)
        cross join lateral (select ${MESSAGE_COLUMNS} from messaging.message
          where account_id = i.account_id and id = i.id and status <> 'abandoned' for update) m`,
      values: [ordered.map((key) => key.accountId), ordered.map((key) => key.id)],
    });
    return new Map(rows.map((row) => [row.id, toMessage(row)]));
  }

  /**
   * Writes decided messages and, last, their events. The rows are locked by this transaction.
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
      messages.map((m) => m.carrier),
      messages.map((m) => m.receipts.toString()),
      messages.map((m) => m.errorCode),
      messages.map((m) => m.sentAt),
    ];
    const appended = await this.log.appendWith(tx, { name: 'messaging-save', text: SAVE, values }, events);
    return () => {
      this.log.committed(appended);
      this.counts.count(events);
    };
  }

  /** Erases the text; `remove` also hides the message from everybody but the audit. */
  async erase(tx: Queryable, message: Message, remove: boolean): Promise<void> {
    await tx.query(
      `update messaging.message set body = '', deleted_at = case when $3 then clock_timestamp() else deleted_at end
        where account_id = $1 and id = $2`,
      [message.accountId, message.id, remove],
    );
  }

  /**
   * Takes the ids of sagas that were given up, so that a late append of theirs finds its id taken. Waits for an append
   * that is under way and then leaves its message alone. Returns the ids that have no message and never will.
   */
  async abandon(keys: readonly { accountId: string; id: string }[]): Promise<string[]> {
    if (keys.length === 0) return [];
    const values = [keys.map((key) => key.accountId), keys.map((key) => key.id)];
    await this.db.query(
      `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number,
          body, encoding, segments, retry_unknown, price_micros, currency, created_at, updated_at, valid_until, deleted_at)
        select account_id, id, 0, 'abandoned', 'outbound-api', 'normal', '', '', '', '', '', 0, false, 0, '',
          clock_timestamp(), clock_timestamp(), clock_timestamp(), clock_timestamp()
        from unnest($1::uuid[], $2::uuid[]) as i(account_id, id) on conflict do nothing`,
      values,
    );
    const { rows } = await this.db.query<{ id: string }>(
      `select id from messaging.message where (account_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))
        and status = 'abandoned'`,
      values,
    );
    return rows.map((row) => row.id);
  }

  /** Of these ids, those that have a message; that of a saga that was given up has none. */
  async existing(keys: readonly { accountId: string; id: string }[]): Promise<Set<string>> {
    const { rows } = await this.db.query<{ id: string }>({
      name: 'messaging-existing',
      text: `select id from messaging.message where (account_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))
        and status <> 'abandoned'`,
      values: [keys.map((key) => key.accountId), keys.map((key) => key.id)],
    });
    return new Set(rows.map((row) => row.id));
  }
}

function scheduleColumns(schedules: readonly Schedule[]): unknown[] {
  return [schedules.map((s) => s.sendAt.getTime()), schedules.map((s) => s.isFromAsked)];
}
