import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { NewEvent } from '../../../shared/define-event.js';
import type { Delivery, DeliveryState } from '../domain/delivery.js';
import type { StatusCallback } from '../domain/status-callback.js';
import { NotificationsDatabase, NotificationsLog } from './notifications.storage.js';

/** How an attempt changes its row. */
export interface Outcome {
  readonly accountId: string;
  readonly messageId: string;
  readonly version: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** From now, milliseconds. */
  readonly nextAttemptMs: number;
  readonly status: number | null;
  readonly error: string | null;
}

interface DeliveryRow {
  account_id: string;
  message_id: string;
  version: number;
  url: string;
  params: StatusCallback;
  attempts: number;
  traceparent: string | null;
}

const COLUMNS = 'account_id, message_id, version, url, params, attempts, traceparent';
const RETURNED = 'd.account_id, d.message_id, d.version, d.url, d.params, d.attempts, d.traceparent';
const FIRST_OF_ITS_MESSAGE = `not exists (select from notifications.delivery e where e.account_id = d.account_id
  and e.message_id = d.message_id and e.version < d.version and e.state = 'pending')`;

/** The rows of deliveries. A row whose next attempt lies ahead belongs to whoever pushed it there. */
@Injectable()
export class DeliveriesRepository {
  constructor(
    private readonly db: NotificationsDatabase,
    private readonly log: NotificationsLog,
  ) {}

  /** Writes new deliveries, owned by this process for `ownMs`; returns those that were not there yet. */
  async insert(tx: Queryable, deliveries: readonly Delivery[], ownMs: number): Promise<Set<string>> {
    const { rows } = await tx.query<{ message_id: string; version: number }>({
      name: 'notifications-insert',
      text: `insert into notifications.delivery (account_id, message_id, version, state, url, params, next_attempt_at, traceparent)
        select i.account_id, i.message_id, i.version, 'pending', i.url, i.params::jsonb,
          clock_timestamp() + $7 * interval '1 ms', i.traceparent
        from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[])
          as i(account_id, message_id, version, url, params, traceparent)
        on conflict do nothing returning message_id, version`,
      values: [
        deliveries.map((d) => d.accountId),
        deliveries.map((d) => d.messageId),
        deliveries.map((d) => d.version),
        deliveries.map((d) => d.url),
        deliveries.map((d) => JSON.stringify(d.callback)),
        deliveries.map((d) => d.traceparent),
        ownMs,
      ],
    });
    return new Set(rows.map((row) => `${row.message_id}-${row.version}`));
  }

  /** Of these messages, those with a pending delivery older than the given version. */
  async blocked(tx: Queryable, deliveries: readonly Delivery[]): Promise<Set<string>> {
    const { rows } = await tx.query<{ message_id: string; version: number }>({
      name: 'notifications-blocked',
      text: `select i.message_id, i.version from unnest($1::uuid[], $2::uuid[], $3::int[]) as i(account_id, message_id, version)
        where exists (select from notifications.delivery e where e.account_id = i.account_id
          and e.message_id = i.message_id and e.version < i.version and e.state = 'pending')`,
      values: [
        deliveries.map((d) => d.accountId),
        deliveries.map((d) => d.messageId),
        deliveries.map((d) => d.version),
      ],
    });
    return new Set(rows.map((row) => `${row.message_id}-${row.version}`));
  }

  /** Takes pending deliveries that are due and first of their messages, and owns them for `ownMs`. */
  async claimDue(limit: number, ownMs: number): Promise<Delivery[]> {
    const { rows } = await this.db.query<DeliveryRow>(
      `with due as (
          select account_id, message_id, version from notifications.delivery d
          where state = 'pending' and next_attempt_at <= clock_timestamp() and ${FIRST_OF_ITS_MESSAGE}
          order by next_attempt_at limit $1 for update skip locked
        )
        update notifications.delivery d set next_attempt_at = clock_timestamp() + $2 * interval '1 ms'
        from due where d.account_id = due.account_id and d.message_id = due.message_id and d.version = due.version
        returning ${RETURNED}`,
      [limit, ownMs],
    );
    return rows.map(toDelivery);
  }

  /** Takes one delivery if it is pending, due within `slackMs`, and first of its message. */
  async claim(
    accountId: string,
    messageId: string,
    version: number,
    slackMs: number,
    ownMs: number,
  ): Promise<Delivery | null> {
    const { rows } = await this.db.query<DeliveryRow>(
      `update notifications.delivery d set next_attempt_at = clock_timestamp() + $5 * interval '1 ms'
        where account_id = $1 and message_id = $2 and version = $3 and state = 'pending'
          and next_attempt_at <= clock_timestamp() + $4 * interval '1 ms' and ${FIRST_OF_ITS_MESSAGE} returning ${COLUMNS}`,
      [accountId, messageId, version, slackMs, ownMs],
    );
    return rows[0] ? toDelivery(rows[0]) : null;
  }

  /** Takes the oldest pending delivery of a message, whenever it is due. */
  async claimNext(accountId: string, messageId: string, ownMs: number): Promise<Delivery | null> {
    const { rows } = await this.db.query<DeliveryRow>(
      `update notifications.delivery d set next_attempt_at = clock_timestamp() + $3 * interval '1 ms'
        where account_id = $1 and message_id = $2 and state = 'pending' and ${FIRST_OF_ITS_MESSAGE} returning ${COLUMNS}`,
      [accountId, messageId, ownMs],
    );
    return rows[0] ? toDelivery(rows[0]) : null;
  }

  /** Records how attempts ended, and what died, in one transaction. Only pending deliveries change. */
  async record(outcomes: readonly Outcome[], deaths: readonly NewEvent[]): Promise<void> {
    const write = (tx: Queryable) =>
      tx.query({
        name: 'notifications-record',
        text: `update notifications.delivery d set state = i.state, attempts = i.attempts, last_status = i.status,
            last_error = i.error, next_attempt_at = clock_timestamp() + i.next_ms * interval '1 ms',
            updated_at = clock_timestamp()
          from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::int[], $6::float8[], $7::int[], $8::text[])
            as i(account_id, message_id, version, state, attempts, next_ms, status, error)
          where d.account_id = i.account_id and d.message_id = i.message_id and d.version = i.version and d.state = 'pending'`,
        values: [
          outcomes.map((o) => o.accountId),
          outcomes.map((o) => o.messageId),
          outcomes.map((o) => o.version),
          outcomes.map((o) => o.state),
          outcomes.map((o) => o.attempts),
          outcomes.map((o) => o.nextAttemptMs),
          outcomes.map((o) => o.status),
          outcomes.map((o) => o.error),
        ],
      });
    if (deaths.length === 0) {
      await write(this.db);
      return;
    }
    await this.db.transaction(async (tx) => {
      await write(tx);
      await this.log.append(tx, deaths);
    });
    this.log.wake();
  }
}

function toDelivery(row: DeliveryRow): Delivery {
  return {
    accountId: row.account_id,
    messageId: row.message_id,
    version: row.version,
    url: row.url,
    callback: row.params,
    attempts: row.attempts,
    traceparent: row.traceparent,
  };
}
