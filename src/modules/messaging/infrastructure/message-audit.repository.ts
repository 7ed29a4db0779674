import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { idFloor, parseSid, sidOf } from '../../../shared/sid.js';
import type {
  AuditedMessage,
  HistoryCheck,
  listMessagesInput,
  MessageDigest,
  MessageRange,
  messageBuckets,
} from '../contract/messaging.api.js';
import { messageAccepted, messageReceived, messageScheduled } from '../contract/messaging.events.js';
import { MessagingDatabase } from './messaging.storage.js';

/** Milliseconds of the instant inside a UUIDv7. */
const TIME_OF = (id: string) => `('x' || translate(left(${id}::text, 13), '-', ''))::bit(48)::bigint`;
const CHARGE = `case when status in ('delivered', 'undelivered') then 'charged'
  when status in ('failed', 'canceled') then 'free' else 'open' end`;
/** Status changes: what a webhook is owed. Erasing and deleting are none, and nobody is called for the first status. */
const OWED = `('messaging.message-queued.v1', 'messaging.message-sent.v1', 'messaging.message-delivered.v1', 'messaging.message-undelivered.v1',
  'messaging.message-failed.v1', 'messaging.message-canceled.v1')`;
/** Statuses that an event brings about; each is a bit. */
const STATUS_EVENTS = ['received', 'scheduled', 'sent', 'delivered', 'undelivered', 'failed', 'canceled'] as const;
/** What came in costs nothing, is given to no carrier, and is told of by another webhook. */
const OUTGOING = "status not in ('abandoned', 'received')";
const MAX_VIOLATIONS = 1000;

interface BucketRow {
  bucket: string;
  kind: 'open' | 'charged' | 'free' | 'carried' | 'callbacks';
  count: string;
  sum: string;
  hash: string;
}

interface Fault {
  id: string;
  detail: string;
}

/** How many messages a range holds, and those that their own events do not explain. */
const HISTORIES = `with history as (
    select stream_id, count(*) as events, min(version) as first, max(version) as last,
      bool_or(version = 1 and type in ('${messageAccepted.type}', '${messageScheduled.type}', '${messageReceived.type}')) as begins,
      count(*) filter (where type in ('messaging.message-delivered.v1', 'messaging.message-undelivered.v1',
        'messaging.message-failed.v1', 'messaging.message-canceled.v1')) as ends,
      bit_or(case type ${STATUS_EVENTS.map((status, bit) => `when 'messaging.message-${status}.v1' then ${1 << bit}`).join(' ')}
        else 0 end) as became
    from messaging.event where stream_id >= $1::uuid and stream_id < $2::uuid group by stream_id
  ), checked as (
    select m.id, case
        when h.stream_id is null then 'it has no events'
        when h.first <> 1 or h.last <> m.version or h.events <> m.version then 'its events do not lead to its version'
        when not h.begins then 'its history does not begin with its acceptance or receipt'
        when h.ends > 1 then 'it became final more than once'
        when m.status not in ('queued', 'accepted') and h.became & (case m.status
            ${STATUS_EVENTS.map((status, bit) => `when '${status}' then ${1 << bit}`).join(' ')} else 0 end) = 0
          then 'no event says how it became ' || m.status
        when m.status in ('queued', 'accepted', 'sent') and m.valid_until < clock_timestamp() - interval '60 s'
          then 'it is not final although its validity has ended'
        when m.status = 'scheduled' and m.send_at < clock_timestamp() - interval '60 s'
          then 'it is still scheduled although its time has come' end as detail
    from messaging.message m left join history h on h.stream_id = m.id
    where m.id >= $1::uuid and m.id < $2::uuid and m.status <> 'abandoned'
  )
  select count(*) as count,
    (array_agg(json_build_object('id', id, 'detail', detail)) filter (where detail is not null))[1:${MAX_VIOLATIONS}] as faults
  from checked`;

const KEYS = `select k.message_id as id, 'its idempotency key is complete, but it does not exist' as detail
    from messaging.idempotency_key k
    left join messaging.message m on m.account_id = k.account_id and m.id = k.message_id and m.status <> 'abandoned'
      and m.id >= $1::uuid and m.id < $2::uuid
    where k.done and m.id is null and k.message_id >= $1::uuid and k.message_id < $2::uuid
  union all
  select message_id, 'it was made under more than one idempotency key' from messaging.idempotency_key
    where done and message_id >= $1::uuid and message_id < $2::uuid
    group by message_id having count(*) > 1 limit ${MAX_VIOLATIONS}`;

/** Messages as the audit reads them: by the instant in their ids, over all accounts. */
@Injectable()
export class MessageAuditRepository {
  constructor(private readonly db: MessagingDatabase) {}

  async digest(input: z.infer<typeof messageBuckets>): Promise<MessageDigest[]> {
    const values = [idFloor(Date.parse(input.from)), idFloor(Date.parse(input.to)), input.bucketMs];
    const { rows } = await this.db.survey((tx) =>
      tx.query<BucketRow>(
        `select ${TIME_OF('id')} / $3::bigint * $3::bigint as bucket, ${CHARGE} as kind, count(*) as count,
          sum(price_micros) as sum, bit_xor(hashtextextended(id::text, 0))::text as hash
        from messaging.message where id >= $1::uuid and id < $2::uuid and ${OUTGOING} group by 1, 2
        union all
        select ${TIME_OF('id')} / $3::bigint * $3::bigint, 'carried', count(*), 0,
          bit_xor(hashtextextended(id::text, 0))::text
        from messaging.message where id >= $1::uuid and id < $2::uuid and sent_at is not null and ${OUTGOING} group by 1
        union all
        select ${TIME_OF('m.id')} / $3::bigint * $3::bigint, 'callbacks', count(*), 0,
          bit_xor(hashtextextended(m.id::text || ':' || e.version, 0))::text
        from messaging.message m join messaging.event e on e.stream_id = m.id and e.type in ${OWED}
        where m.id >= $1::uuid and m.id < $2::uuid and e.stream_id >= $1::uuid and e.stream_id < $2::uuid
          and m.callback_url is not null group by 1 order by 1`,
        values,
      ),
    );
    const lines = new Map<string, MessageDigest>();
    for (const row of rows) {
      const line = lines.get(row.bucket) ?? emptyLine(Number(row.bucket));
      const counted = { count: Number(row.count), hash: row.hash };
      const sum = row.kind === 'callbacks' ? counted : { ...counted, sumMicros: Number(row.sum) };
      lines.set(row.bucket, { ...line, [row.kind]: sum });
    }
    return [...lines.values()];
  }

  async list(input: z.infer<typeof listMessagesInput>): Promise<AuditedMessage[]> {
    const after = input.after === null ? null : parseSid('SM', input.after);
    const { rows } = await this.db.search.query<{
      id: string;
      account_id: string;
      status: string;
      charge: AuditedMessage['charge'];
      price_micros: string;
      carried: boolean;
      versions: number[];
      updated_at: Date;
    }>(
      `select m.id, m.account_id, m.status, ${CHARGE} as charge, m.price_micros, m.sent_at is not null as carried, m.updated_at,
          case when m.callback_url is null then '{}'::int[] else array(
            select e.version from messaging.event e where e.stream_id = m.id and e.type in ${OWED} order by 1) end as versions
        from messaging.message m
        where m.id >= $1::uuid and m.id < $2::uuid and m.${OUTGOING} and ($3::uuid is null or m.id > $3)
        order by m.id limit $4`,
      [idFloor(Date.parse(input.from)), idFloor(Date.parse(input.to)), after, input.limit],
    );
    return rows.map((row) => ({
      sid: sidOf('SM', row.id),
      accountSid: sidOf('AC', row.account_id),
      status: row.status,
      charge: row.charge,
      priceMicros: Number(row.price_micros),
      carried: row.carried,
      callbackVersions: row.versions,
      changedAt: row.updated_at.toISOString(),
    }));
  }

  /** Memory and time are bounded by the range: what it holds is grouped by message. */
  async check(range: MessageRange): Promise<HistoryCheck> {
    const values = [idFloor(Date.parse(range.from)), idFloor(Date.parse(range.to))];
    return this.db.survey(async (tx) => {
      const histories = await tx.query<{ count: string; faults: Fault[] | null }>(HISTORIES, values);
      const keys = await tx.query<{ id: string; detail: string }>(KEYS, values);
      const { count, faults } = histories.rows[0]!;
      const violations = [...(faults ?? []), ...keys.rows].map(({ id, detail }) => ({ sid: sidOf('SM', id), detail }));
      return { messages: Number(count), violations };
    });
  }
}

function emptyLine(bucketMs: number): MessageDigest {
  const none = { count: 0, sumMicros: 0, hash: '0' };
  return {
    from: new Date(bucketMs).toISOString(),
    open: none,
    charged: none,
    free: none,
    carried: none,
    callbacks: { count: 0, hash: '0' },
  };
}
