import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { Message } from '../domain/message.js';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './message-row.js';
import { MessagingDatabase } from './messaging.storage.js';

export interface AccountStatus {
  readonly accountId: string;
  /** Of the event that said so: an older one changes nothing. */
  readonly version: number;
  readonly halted: boolean;
}

/**
 * For how long after its halt an account is looked at: longer than a message that was accepted at its last moment is
 * valid. Dispatch leaves it out for good.
 */
const LOOK_MS = 24 * 3_600_000;

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * The first place of a halted account (queue, lane, account) that has something waiting behind a message, and the oldest
 * that wait there: one index probe for each queue, lane and halted account, however much waits of others.
 */
const NEXT = `with recursive line as (
    (select queue, lane from messaging.message where status in ('queued', 'accepted') order by queue, lane limit 1)
    union all
    select next.* from line, lateral (
      select m.queue, m.lane from messaging.message m
      where m.status in ('queued', 'accepted') and (m.queue, m.lane) > (line.queue, line.lane)
      order by m.queue, m.lane limit 1) next
  ), place as (
    select line.queue, line.lane, s.account_id, case when (line.queue, line.lane, s.account_id) = ($3, $4, $5::uuid)
      then $6::uuid else '${FIRST_ID}'::uuid end as after
    from line cross join messaging.account_status s
    where s.halted and s.since > clock_timestamp() - $1 * interval '1 ms'
      and ($3::text is null or (line.queue, line.lane, s.account_id) >= ($3, $4::text, $5))
  ), next as (
    select place.* from place cross join lateral (
      select from messaging.message m where m.status in ('queued', 'accepted') and m.queue = place.queue
        and m.lane = place.lane and m.account_id = place.account_id and m.id > place.after limit 1) found
    order by place.queue, place.lane, place.account_id limit 1
  )
  select m.* from next cross join lateral (
    select ${MESSAGE_COLUMNS} from messaging.message m where m.status in ('queued', 'accepted') and m.queue = next.queue
      and m.lane = next.lane and m.account_id = next.account_id and m.id > next.after order by m.id limit $2) m`;

/** What messaging has heard of accounts that may not send. */
@Injectable()
export class AccountStatusesRepository {
  constructor(private readonly db: MessagingDatabase) {}

  /** At most one of each account. */
  async record(tx: Queryable, statuses: readonly AccountStatus[]): Promise<void> {
    await tx.query(
      `insert into messaging.account_status as s (account_id, version, halted)
        select * from unnest($1::uuid[], $2::int[], $3::boolean[]) as i(account_id, version, halted) order by account_id
        on conflict (account_id) do update set version = excluded.version, halted = excluded.halted,
          since = excluded.since where excluded.version > s.version`,
      [
        statuses.map((status) => status.accountId),
        statuses.map((status) => status.version),
        statuses.map((status) => status.halted),
      ],
    );
  }

  /** Some of what waits although its account is halted; what stands behind a message, where one is given. */
  async waitingOfHalted(limit: number, after: Message | null): Promise<Message[]> {
    const values = [
      LOOK_MS,
      limit,
      after?.queue ?? null,
      after?.lane ?? null,
      after?.accountId ?? null,
      after?.id ?? null,
    ];
    const { rows } = await this.db.query<MessageRow>({ name: 'messaging-halted', text: NEXT, values });
    return rows.map(toMessage);
  }
}
