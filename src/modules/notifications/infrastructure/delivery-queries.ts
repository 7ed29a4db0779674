import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { idFloor, parseSid, sidOf } from '../../../shared/sid.js';
import type {
  AuditedDelivery,
  DeadDelivery,
  DeliveryDigest,
  deliveryBuckets,
  listDeadInput,
  listDeliveriesInput,
} from '../contract/notifications.api.js';
import type { DeliveryState } from '../domain/delivery.js';
import { NotificationsDatabase } from './notifications.storage.js';

/** A delivery as its customer sees it. */
export interface DeliveryView {
  readonly messageId: string;
  readonly version: number;
  readonly state: DeliveryState;
  readonly url: string;
  readonly status: string;
  readonly attempts: number;
  readonly nextAttemptAt: Date;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ReplayFilter {
  readonly state: 'dead' | 'skipped';
  readonly messageId: string | null;
  readonly createdAfter: Date | null;
  readonly createdBefore: Date | null;
}

interface ViewRow {
  message_id: string;
  version: number;
  state: DeliveryState;
  url: string;
  status: string;
  attempts: number;
  next_attempt_at: Date;
  last_status: number | null;
  last_error: string | null;
  created_at: Date;
  updated_at: Date;
}

/** A delivery whose next attempt is this much overdue has been forgotten. */
const OVERDUE = "state = 'pending' and next_attempt_at < clock_timestamp() - interval '2 minutes'";
const VIEW = `message_id, version, state, url, params->>'status' as status, attempts, next_attempt_at, last_status, last_error,
  created_at, updated_at`;
/** Those that tell of a status, which the audit holds against messages; not those that ask about an incoming one. */
const OF_STATUS = "params->>'kind' is null";
const REPLAY = `update notifications.delivery d set state = 'pending', attempts = 0, next_attempt_at = clock_timestamp(),
  updated_at = clock_timestamp()`;
const ID = /^(SM[0-9a-f]{32})-(\d{1,9})$/;

/** `<message SID>-<version>` as its parts; null when it is none. */
export function parseDeliveryId(id: string): { messageId: string; version: number } | null {
  const match = ID.exec(id);
  const messageId = match && parseSid('SM', match[1]!);
  return messageId ? { messageId, version: Number(match[2]) } : null;
}

/** Reads and replays of deliveries on the control plane. */
@Injectable()
export class DeliveryQueries {
  constructor(private readonly db: NotificationsDatabase) {}

  /** An account's deliveries, those of the newest message first, from behind one. */
  async list(
    accountId: string,
    state: DeliveryState | null,
    after: { messageId: string; version: number } | null,
    limit: number,
  ): Promise<DeliveryView[]> {
    const { rows } = await this.db.search.query<ViewRow>(
      `select ${VIEW} from notifications.delivery
        where account_id = $1 and ($2::text is null or state = $2)
          and ($3::uuid is null or (message_id, version) < ($3, $4::int))
        order by message_id desc, version desc limit $5`,
      [accountId, state, after?.messageId ?? null, after?.version ?? 0, limit],
    );
    return rows.map(viewOf);
  }

  /** Lets deliveries of an account that were given up be tried again, a bounded number; returns how many. */
  async replayMatching(accountId: string, filter: ReplayFilter, limit: number): Promise<number> {
    const { rowCount } = await this.db.control.query(
      `${REPLAY} from (
          select message_id, version from notifications.delivery
          where account_id = $1 and state = $2 and ($3::uuid is null or message_id = $3)
            and ($4::timestamptz is null or created_at >= $4) and ($5::timestamptz is null or created_at < $5)
          order by message_id, version limit $6 for update
        ) found
        where d.account_id = $1 and d.message_id = found.message_id and d.version = found.version and d.state = $2`,
      [accountId, filter.state, filter.messageId, filter.createdAfter, filter.createdBefore, limit],
    );
    return rowCount ?? 0;
  }

  /** Lets one delivery be tried again, unless it is pending. False when it is, or when the account has no such delivery. */
  async replay(accountId: string, messageId: string, version: number): Promise<boolean> {
    const { rowCount } = await this.db.control.query(
      `${REPLAY} where account_id = $1 and message_id = $2 and version = $3 and state <> 'pending'`,
      [accountId, messageId, version],
    );
    return rowCount === 1;
  }

  /** One of an account's deliveries, or null. */
  async find(accountId: string, messageId: string, version: number): Promise<DeliveryView | null> {
    const { rows } = await this.db.control.query<ViewRow>(
      `select ${VIEW} from notifications.delivery where account_id = $1 and message_id = $2 and version = $3`,
      [accountId, messageId, version],
    );
    return rows[0] ? viewOf(rows[0]) : null;
  }

  /** Dead deliveries over all tenants. */
  async dead(input: z.infer<typeof listDeadInput>): Promise<DeadDelivery[]> {
    const after = input.after === null ? null : parseDeliveryId(input.after);
    const { rows } = await this.db.control.query<{
      message_id: string;
      version: number;
      last_error: string | null;
      attempts: number;
      updated_at: Date;
    }>(
      `select message_id, version, last_error, attempts, updated_at from notifications.delivery
        where state = 'dead' and ($1::uuid is null or (message_id, version) > ($1, $2::int))
        order by message_id, version limit $3`,
      [after?.messageId ?? null, after?.version ?? 0, input.limit],
    );
    return rows.map((row) => ({
      id: `${sidOf('SM', row.message_id)}-${row.version}`,
      messageSid: sidOf('SM', row.message_id),
      reason: row.last_error,
      attempts: row.attempts,
      at: row.updated_at.toISOString(),
    }));
  }

  /** Tries a dead delivery again, or drops it. False when it is not dead. */
  async resolveDead(messageId: string, version: number, action: 'retry' | 'skip'): Promise<boolean> {
    const { rowCount } = await this.db.control.query(
      `update notifications.delivery set state = $3, attempts = case when $3 = 'pending' then 0 else attempts end,
          next_attempt_at = clock_timestamp(), updated_at = clock_timestamp()
        where message_id = $1 and version = $2 and state = 'dead'`,
      [messageId, version, action === 'retry' ? 'pending' : 'skipped'],
    );
    return rowCount === 1;
  }

  async digest(input: z.infer<typeof deliveryBuckets>): Promise<DeliveryDigest[]> {
    const { rows } = await this.db.survey((tx) =>
      tx.query<{ bucket: string; count: string; overdue: string; hash: string }>(
        `select ('x' || translate(left(message_id::text, 13), '-', ''))::bit(48)::bigint / $3::bigint * $3::bigint as bucket,
            count(*) as count, bit_xor(hashtextextended(message_id::text || ':' || version, 0))::text as hash,
            count(*) filter (where ${OVERDUE}) as overdue
          from notifications.delivery where message_id >= $1::uuid and message_id < $2::uuid and ${OF_STATUS} group by 1 order by 1`,
        [idFloor(Date.parse(input.from)), idFloor(Date.parse(input.to)), input.bucketMs],
      ),
    );
    return rows.map((row) => ({
      from: new Date(Number(row.bucket)).toISOString(),
      count: Number(row.count),
      hash: row.hash,
      overdue: Number(row.overdue),
    }));
  }

  async listForAudit(input: z.infer<typeof listDeliveriesInput>): Promise<AuditedDelivery[]> {
    const after = input.after === null ? null : parseSid('SM', input.after);
    const { rows } = await this.db.search.query<{ message_id: string; versions: number[]; overdue: number[] | null }>(
      `select message_id, array_agg(version order by version) as versions,
          array_agg(version order by version) filter (where ${OVERDUE}) as overdue
        from notifications.delivery
        where message_id >= $1::uuid and message_id < $2::uuid and ($3::uuid is null or message_id > $3) and ${OF_STATUS}
        group by message_id order by message_id limit $4`,
      [idFloor(Date.parse(input.from)), idFloor(Date.parse(input.to)), after, input.limit],
    );
    return rows.map((row) => ({
      messageSid: sidOf('SM', row.message_id),
      versions: row.versions,
      overdueVersions: row.overdue ?? [],
    }));
  }

  /** How many deliveries are pending and dead, and how long the most overdue one waits. */
  async depths(): Promise<{ pending: number; dead: number; overdueSeconds: number }> {
    const { rows } = await this.db.control.query<{ pending: number; dead: number; overdue: number }>(
      `select (select count(*) from (select from notifications.delivery where state = 'pending' limit 10000) p)::int as pending,
          (select count(*) from (select from notifications.delivery where state = 'dead' limit 10000) d)::int as dead,
          coalesce((select extract(epoch from clock_timestamp() - min(next_attempt_at)) from notifications.delivery
            where state = 'pending'), 0)::float8 as overdue`,
    );
    return { pending: rows[0]!.pending, dead: rows[0]!.dead, overdueSeconds: Math.max(0, rows[0]!.overdue) };
  }
}

function viewOf(row: ViewRow): DeliveryView {
  return {
    messageId: row.message_id,
    version: row.version,
    state: row.state,
    url: row.url,
    status: row.status,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    lastStatus: row.last_status,
    lastError: row.last_error,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
