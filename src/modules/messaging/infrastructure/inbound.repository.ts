import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { Arrival, ReceivedMessage } from '../domain/inbound.js';
import { MessagingDatabase } from './messaging.storage.js';

interface ArrivalRow {
  id: string;
  carrier: string;
  from_number: string;
  to_number: string;
  segments: number;
  received_at: Date;
}

const COLUMNS = 'id, carrier, from_number, to_number, segments, received_at';

/** What carriers brought in: the messages of it, and what came to numbers that nobody owned. */
@Injectable()
export class InboundRepository {
  constructor(private readonly db: MessagingDatabase) {}

  /**
   * Takes note of arrivals, each with the account that it is for, or null.
   *
   * @returns the ids of those that were not known, or known without an account that they have now
   */
  async note(tx: Queryable, arrivals: readonly (Arrival & { accountId: string | null })[]): Promise<Set<string>> {
    const { rows } = await tx.query<{ id: string }>({
      name: 'messaging-note-inbound',
      text: `insert into messaging.inbound as known (${COLUMNS}, account_id)
        select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::timestamptz[], $7::uuid[])
        on conflict (id) do update set account_id = excluded.account_id
          where known.account_id is null and excluded.account_id is not null
        returning id`,
      values: [
        arrivals.map((one) => one.id),
        arrivals.map((one) => one.carrier),
        arrivals.map((one) => one.from),
        arrivals.map((one) => one.to),
        arrivals.map((one) => one.segments),
        arrivals.map((one) => one.receivedAt),
        arrivals.map((one) => one.accountId),
      ],
    });
    return new Set(rows.map((row) => row.id));
  }

  /** Writes incoming messages: received and final. */
  async insert(tx: Queryable, messages: readonly ReceivedMessage[]): Promise<void> {
    if (messages.length === 0) return;
    await tx.query({
      name: 'messaging-receive',
      text: `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number,
          body, encoding, segments, service_id, retry_unknown, price_micros, currency, carrier, created_at, updated_at, sent_at,
          valid_until)
        select account_id, id, 1, 'received', 'inbound', 'normal', '', from_number, to_number, body, encoding, segments,
          service_id, false, 0, '', carrier, statement_timestamp(), statement_timestamp(), received_at, received_at
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::uuid[],
            $9::text[], $10::timestamptz[])
          as i(account_id, id, from_number, to_number, body, encoding, segments, service_id, carrier, received_at)`,
      values: [
        messages.map((m) => m.accountId),
        messages.map((m) => m.id),
        messages.map((m) => m.from),
        messages.map((m) => m.to),
        messages.map((m) => m.body),
        messages.map((m) => m.encoding),
        messages.map((m) => m.segments),
        messages.map((m) => m.serviceId),
        messages.map((m) => m.carrier),
        messages.map((m) => m.receivedAt),
      ],
    });
  }

  /** What came to numbers that nobody owned, the newest first, from behind one. */
  async unassigned(after: string | null, limit: number): Promise<Arrival[]> {
    const { rows } = await this.db.control.query<ArrivalRow>(
      `select ${COLUMNS} from messaging.inbound where account_id is null and ($1::uuid is null or id < $1)
        order by id desc limit $2`,
      [after, limit],
    );
    return rows.map(toArrival);
  }

  /** One of those, or null. */
  async findUnassigned(id: string): Promise<Arrival | null> {
    const { rows } = await this.db.control.query<ArrivalRow>(
      `select ${COLUMNS} from messaging.inbound where id = $1 and account_id is null`,
      [id],
    );
    return rows[0] ? toArrival(rows[0]) : null;
  }
}

function toArrival(row: ArrivalRow): Arrival {
  return {
    id: row.id,
    carrier: row.carrier,
    from: row.from_number,
    to: row.to_number,
    segments: row.segments,
    receivedAt: row.received_at,
  };
}
