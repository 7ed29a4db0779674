import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { NewEvent } from '../../../shared/define-event.js';
import type { Delivery, DeliveryKey, DeliveryState, EndpointKey } from '../domain/delivery.js';
import { NotificationsDatabase, NotificationsLog } from './notifications.storage.js';

/**
 * What a pending delivery that nobody holds waits for besides its time: `room` in a process's memory, or its `turn` behind
 * another of its message. It is looked for when that may have come. Null: it is held, or waits for its time alone.
 */
export type WaitsFor = 'room' | 'turn' | null;

/** How an attempt changes its row. */
export interface Outcome extends DeliveryKey {
  readonly state: DeliveryState;
  readonly attempts: number;
  /** From now, milliseconds. */
  readonly nextAttemptMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly waitsFor: WaitsFor;
  /** Whether the queue is to remind of it when it is due. */
  readonly isReminded: boolean;
  /** Where it goes on instead, at once or in its next round; null where nothing changes about that. */
  readonly target: Pick<Delivery, 'url' | 'callback'> | null;
  /** What is told when the delivery has died; null for every other outcome. */
  readonly death: NewEvent | null;
}

/** A pending delivery, and the versions of its message before it that are pending too. */
export interface Candidate {
  readonly delivery: Delivery;
  readonly before: readonly number[];
}

/** What becomes of a candidate: taken by this process or left, and when it is due again in either case. */
export interface Placement {
  readonly isTaken: boolean;
  /** From now, or from when the last of those before it is due. */
  readonly waitMs: number;
  readonly waitsFor: WaitsFor;
}

export type Selector =
  /** Those that are due, the most overdue first. */
  | { readonly due: number }
  /** Those of the keys that are due, or will be within `slackMs`. */
  | { readonly keys: readonly DeliveryKey[]; readonly slackMs: number }
  /** Those of the same messages that nobody holds and that were never attempted. */
  | { readonly after: readonly DeliveryKey[] }
  /** Those that were left for lack of room, of one endpoint. */
  | { readonly leftOf: EndpointKey; readonly limit: number };

interface CandidateRow {
  account_id: string;
  message_id: string;
  version: number;
  url: string;
  params: Delivery['callback'];
  attempts: number;
  traceparent: string | null;
  before: number[] | null;
  before_due_ms: number;
}

/** A retry has a reminder in the queue, which is left this much time to come first. */
const REMINDER_MS = 1_500;
/** At most how many rows one statement looks at. */
export const MAX_CANDIDATES = 500;

const CANDIDATE = `d.account_id, d.message_id, d.version, d.url, d.params, d.attempts, d.traceparent, p.before,
  greatest(0, coalesce(extract(epoch from p.due - clock_timestamp()) * 1000, 0))::float8 as before_due_ms`;
// That a delivery is pending, said so that the index of all that are due is of no use: where one is looked for by its
// key, a plan that was made while few were pending would read them all.
const isPending = (of: string) => `${of}.state || '' = 'pending'`;
const PENDING_BEFORE = (of: string) => `left join lateral (
    select array_agg(e.version) as before, max(e.next_attempt_at) as due from notifications.delivery e
    where e.account_id = ${of}.account_id and e.message_id = ${of}.message_id and e.version < ${of}.version
      and ${isPending('e')}) p on true`;

/** The rows of deliveries. A row whose next attempt lies ahead belongs to whoever pushed it there. */
@Injectable()
export class DeliveriesRepository {
  constructor(
    private readonly db: NotificationsDatabase,
    private readonly log: NotificationsLog,
  ) {}

  /**
   * Writes new deliveries, placed as was decided; returns those that were not there yet.
   *
   * A row is due after those before it, so that nobody looks at it in vain while they wait for a retry.
   */
  async insert(tx: Queryable, deliveries: readonly Delivery[], placements: readonly Placement[]): Promise<Candidate[]> {
    // One JSON text is cheaper to write and to read than an array of many, and most rows have nothing to say.
    const { rows } = await tx.query<{ ord: number; is_fresh: boolean; before: number[] | null }>({
      name: 'notifications-insert',
      text: `with given as materialized (
          select i.*, p.before, p.due from jsonb_to_recordset($1::jsonb) as i(ord int, account_id uuid, message_id uuid,
              version int, url text, params jsonb, traceparent text, wait_ms float8, waits_for text)
            ${PENDING_BEFORE('i')}
        ), fresh as (
          insert into notifications.delivery
            (account_id, message_id, version, state, url, params, next_attempt_at, waits_for, traceparent)
          select account_id, message_id, version, 'pending', url, params,
            greatest(clock_timestamp(), due) + wait_ms * interval '1 ms', waits_for, traceparent from given
          on conflict do nothing returning message_id, version
        )
        select given.ord, given.before, fresh.version is not null as is_fresh
        from given left join fresh using (message_id, version) where fresh.version is null or given.before is not null`,
      values: [JSON.stringify(deliveries.map((delivery, index) => insertion(delivery, index, placements[index]!)))],
    });
    const special = new Map(rows.map((row) => [row.ord, row]));
    return deliveries.flatMap((delivery, index) => {
      const row = special.get(index);
      return row && !row.is_fresh ? [] : { delivery, before: row?.before ?? [] };
    });
  }

  /**
   * Looks for pending deliveries and lets `plan` decide which of them this process takes. Each is pushed ahead in the
   * same transaction; those that another process is looking at are passed over.
   *
   * @returns how many were found, and those that were taken
   */
  async claim(
    selector: Selector,
    plan: (candidates: readonly Candidate[]) => readonly Placement[],
  ): Promise<{ found: number; taken: Candidate[] }> {
    return this.db.transaction(async (tx) => {
      const { rows } = await tx.query<CandidateRow>(selectionOf(selector));
      if (rows.length === 0) return { found: 0, taken: [] };
      const candidates = rows.map(toCandidate);
      const placements = plan(candidates);
      await tx.query({
        name: 'notifications-push',
        text: `update notifications.delivery d
            set next_attempt_at = clock_timestamp() + i.wait_ms * interval '1 ms', waits_for = i.waits_for
          from unnest($1::uuid[], $2::uuid[], $3::int[], $4::float8[], $5::text[])
            as i(account_id, message_id, version, wait_ms, waits_for)
          where d.account_id = i.account_id and d.message_id = i.message_id and d.version = i.version`,
        values: [
          rows.map((row) => row.account_id),
          rows.map((row) => row.message_id),
          rows.map((row) => row.version),
          rows.map((row, index) => row.before_due_ms + placements[index]!.waitMs),
          placements.map((placement) => placement.waitsFor),
        ],
      });
      return { found: rows.length, taken: candidates.filter((_, index) => placements[index]!.isTaken) };
    });
  }

  /** Gives deliveries up that this process owns: they are due now. */
  async release(keys: readonly DeliveryKey[]): Promise<void> {
    if (keys.length === 0) return;
    await this.db.query(
      `update notifications.delivery d set next_attempt_at = clock_timestamp()
        from unnest($1::uuid[], $2::uuid[], $3::int[]) as i(account_id, message_id, version)
        where d.account_id = i.account_id and d.message_id = i.message_id and d.version = i.version and ${isPending('d')}`,
      columns(keys),
    );
  }

  /**
   * Records how attempts ended, where they go on and what died, in one transaction. Only pending deliveries change.
   *
   * @returns for each outcome whether it was still to be recorded
   */
  async record(outcomes: readonly Outcome[]): Promise<boolean[]> {
    const isPlain = outcomes.every(({ death, target }) => death === null && target === null);
    if (isPlain) return write(this.db, outcomes);
    const recorded = await this.db.transaction(async (tx) => {
      const changed = await write(tx, outcomes);
      await retarget(
        tx,
        outcomes.filter((outcome, index) => changed[index] && outcome.target),
      );
      const deaths = outcomes.flatMap((outcome, index) => (changed[index] && outcome.death) || []);
      await this.log.append(tx, deaths);
      return changed;
    });
    this.log.wake();
    return recorded;
  }
}

async function write(tx: Queryable, outcomes: readonly Outcome[]): Promise<boolean[]> {
  const { rows } = await tx.query<{ ord: number }>({
    name: 'notifications-record',
    text: `with given as materialized (
        select * from jsonb_to_recordset($1::jsonb) as i(ord int, account_id uuid, message_id uuid, version int,
          state text, attempts int, next_ms float8, waits_for text, status int, error text) limit $2
      ), changed as (
        update notifications.delivery d set state = i.state, attempts = i.attempts, last_status = i.status,
          last_error = i.error, waits_for = i.waits_for, next_attempt_at = clock_timestamp() + i.next_ms * interval '1 ms',
          updated_at = clock_timestamp()
        from given i where d.account_id = i.account_id and d.message_id = i.message_id and d.version = i.version
          and ${isPending('d')}
        returning i.ord
      )
      select ord from given where ord not in (select ord from changed)`,
    // The planner takes a limit that it does not know for a few rows, and looks each up; for more it would read all.
    values: [JSON.stringify(outcomes.map(recording)), outcomes.length],
  });
  const unchanged = new Set(rows.map((row) => row.ord));
  return outcomes.map((_, index) => !unchanged.has(index));
}

async function retarget(tx: Queryable, outcomes: readonly Outcome[]): Promise<void> {
  if (outcomes.length === 0) return;
  await tx.query({
    name: 'notifications-retarget',
    text: `update notifications.delivery d set url = i.url, params = i.params
      from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::jsonb[])
        as i(account_id, message_id, version, url, params)
      where d.account_id = i.account_id and d.message_id = i.message_id and d.version = i.version`,
    values: [
      ...columns(outcomes),
      outcomes.map(({ target }) => target!.url),
      outcomes.map(({ target }) => JSON.stringify(target!.callback)),
    ],
  });
}

function insertion(delivery: Delivery, ord: number, { waitMs, waitsFor }: Placement): object {
  const { accountId, messageId, version, url, callback, traceparent } = delivery;
  return {
    ord,
    account_id: accountId,
    message_id: messageId,
    version,
    url,
    params: callback,
    traceparent,
    wait_ms: waitMs,
    waits_for: waitsFor,
  };
}

function recording(outcome: Outcome, ord: number): object {
  const { accountId, messageId, version, state, attempts, nextAttemptMs, waitsFor, status, error } = outcome;
  return {
    ord,
    account_id: accountId,
    message_id: messageId,
    version,
    state,
    attempts,
    next_ms: nextAttemptMs,
    waits_for: waitsFor,
    status,
    error,
  };
}

function selectionOf(selector: Selector): { name: string; text: string; values: unknown[] } {
  if ('due' in selector) {
    // Only an instant that stands for the whole statement lets the index end the search where nothing more is due.
    const text = candidates(
      `select * from notifications.delivery d where d.state = 'pending' and d.next_attempt_at <= statement_timestamp()
          and (d.attempts = 0 or d.next_attempt_at <= statement_timestamp() - interval '${REMINDER_MS} ms')
        order by d.next_attempt_at limit $1 for update skip locked`,
    );
    return { name: 'notifications-due', text, values: [Math.min(selector.due, MAX_CANDIDATES)] };
  }
  if ('keys' in selector) {
    const text = candidates(
      `select d.* from unnest($1::uuid[], $2::uuid[], $3::int[]) as i(account_id, message_id, version)
        cross join lateral (select * from notifications.delivery d
          where d.account_id = i.account_id and d.message_id = i.message_id and d.version = i.version
            and ${isPending('d')} and d.next_attempt_at <= statement_timestamp() + $4::float8 * interval '1 ms'
          for update skip locked) d limit ${MAX_CANDIDATES}`,
    );
    return { name: 'notifications-claim-keys', text, values: [...columns(selector.keys), selector.slackMs] };
  }
  if ('leftOf' in selector) {
    const text = candidates(
      `select * from notifications.delivery d where d.waits_for = 'room' and d.account_id = $1 and starts_with(lower(d.url), $2)
          and d.state = 'pending'
        order by d.next_attempt_at limit $3 for update skip locked`,
    );
    const { accountId, origin } = selector.leftOf;
    return { name: 'notifications-claim-left', text, values: [accountId, origin, selector.limit] };
  }
  const text = candidates(
    `select d.* from (select distinct account_id, message_id from unnest($1::uuid[], $2::uuid[], $3::int[])
        as i(account_id, message_id, version)) i
      cross join lateral (select * from notifications.delivery d
        where d.account_id = i.account_id and d.message_id = i.message_id and ${isPending('d')} and d.attempts = 0
          and d.waits_for is not null order by d.version for update skip locked) d limit ${MAX_CANDIDATES}`,
  );
  return { name: 'notifications-claim-after', text, values: columns(selector.after) };
}

/**
 * Locks rows first, and looks only for those few what stands before them. Rows that are looked for by key are locked as
 * they are found: after a join over several partitions, PostgreSQL would lose those that were changed meanwhile.
 */
function candidates(locked: string): string {
  return `with d as materialized (${locked})
    select ${CANDIDATE} from d ${PENDING_BEFORE('d')} order by d.message_id, d.version`;
}

function columns(keys: readonly DeliveryKey[]): unknown[] {
  return [keys.map((key) => key.accountId), keys.map((key) => key.messageId), keys.map((key) => key.version)];
}

function toCandidate(row: CandidateRow): Candidate {
  const delivery = {
    accountId: row.account_id,
    messageId: row.message_id,
    version: row.version,
    url: row.url,
    callback: row.params,
    attempts: row.attempts,
    traceparent: row.traceparent,
  };
  return { delivery, before: row.before ?? [] };
}
