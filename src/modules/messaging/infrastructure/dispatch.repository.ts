import { Injectable } from '@nestjs/common';
import type { Place } from '../domain/fair-queue.js';
import type { Lane } from '../domain/lane.js';
import { MessagingDatabase } from './messaging.storage.js';
import { isOptedOutSql } from './opt-outs.repository.js';

/** A waiting message with what a carrier needs of it. */
export interface Sendable {
  readonly id: string;
  readonly accountId: string;
  readonly queue: string;
  readonly lane: Lane;
  readonly from: string;
  readonly to: string;
  readonly body: string;
  readonly retryUnknown: boolean;
  readonly validUntil: Date;
  readonly traceparent: string | null;
  readonly hops: number;
  /** Its recipient has opted out: it must not be sent. */
  readonly isOptedOut: boolean;
}

interface SendableRow {
  id: string;
  account_id: string;
  queue: string;
  lane: string;
  from_number: string;
  to_number: string;
  body: string;
  retry_unknown: boolean;
  valid_until: Date;
  traceparent: string | null;
  hops: number;
  opted_out: boolean;
}

const MAX_COUNTED = 10_000;

const IS_OPTED_OUT = isOptedOutSql({
  account: 'm.account_id',
  to: 'm.to_number',
  from: 'm.from_number',
  service: 'm.service_id',
  direction: 'm.direction',
});

function notHalted(accountId: string): string {
  return `not exists (select from messaging.account_status s where s.account_id = ${accountId} and s.halted)`;
}

/** Reads what waits for a carrier. Nothing is written: the carriers' keys say what has been taken. */
@Injectable()
export class DispatchRepository {
  constructor(private readonly db: MessagingDatabase) {}

  /** Every queue, lane and tenant that has something waiting: one index probe for each, however much waits. */
  async places(limit: number): Promise<Place[]> {
    const { rows } = await this.db.query<{ queue: string; lane: Lane; account_id: string }>(
      `with recursive place as (
          (select queue, lane, account_id from messaging.message where status in ('queued', 'accepted')
            order by queue, lane, account_id limit 1)
          union all
          select next.* from place, lateral (
            select m.queue, m.lane, m.account_id from messaging.message m
            where m.status in ('queued', 'accepted')
              and (m.queue, m.lane, m.account_id) > (place.queue, place.lane, place.account_id)
            order by m.queue, m.lane, m.account_id limit 1) next
        ) select * from place limit $1`,
      [limit],
    );
    return rows.map((row) => ({ queue: row.queue, lane: row.lane, accountId: row.account_id }));
  }

  /**
   * How much waits in each lane, and since when; of each lane of a queue up to `most` are looked at, so that a long
   * queue costs no long look and hides no other lane.
   */
  async depths(most = MAX_COUNTED): Promise<{ lane: Lane; count: number; oldestSeconds: number }[]> {
    const { rows } = await this.db.control.query<{ lane: Lane; count: number; oldest: number }>(
      `with recursive line as (
          (select queue, lane from messaging.message where status in ('queued', 'accepted') order by queue, lane limit 1)
          union all
          select next.* from line, lateral (
            select m.queue, m.lane from messaging.message m
            where m.status in ('queued', 'accepted') and (m.queue, m.lane) > (line.queue, line.lane)
            order by m.queue, m.lane limit 1) next
        )
        select line.lane, sum(seen.count)::int as count, max(seen.age)::float8 as oldest
        from line cross join lateral (
          select count(*) as count, extract(epoch from clock_timestamp() - min(w.created_at)) as age
          from (select m.created_at from messaging.message m where m.status in ('queued', 'accepted')
            and m.queue = line.queue and m.lane = line.lane limit $1) w) seen
        group by line.lane`,
      [most],
    );
    return rows.map((row) => ({ lane: row.lane, count: row.count, oldestSeconds: row.oldest }));
  }

  /**
   * The oldest messages that wait and are still valid at each place, at most as many as its limit says; none of accounts
   * that are suspended or closed.
   */
  async waiting(places: readonly Place[], limits: readonly number[]): Promise<string[][]> {
    const { rows } = await this.db.query<{ ord: string; id: string }>({
      name: 'messaging-waiting',
      text: `select p.ord, w.id from unnest($1::text[], $2::text[], $3::uuid[], $4::int[]) with ordinality
          as p(queue, lane, account_id, most, ord)
        cross join lateral (select m.id from messaging.message m where m.status in ('queued', 'accepted')
          and m.queue = p.queue and m.lane = p.lane and m.account_id = p.account_id
          and m.valid_until > statement_timestamp() order by m.id limit p.most) w
        where ${notHalted('p.account_id')}
        order by p.ord, w.id`,
      values: [
        places.map((place) => place.queue),
        places.map((place) => place.lane),
        places.map((place) => place.accountId),
        limits,
      ],
    });
    const pages: string[][] = places.map(() => []);
    for (const row of rows) pages[Number(row.ord) - 1]!.push(row.id);
    return pages;
  }

  /** Of these messages, those that still wait and are still valid, of accounts that may send. */
  async sendable(keys: readonly { accountId: string; id: string }[]): Promise<Map<string, Sendable>> {
    const { rows } = await this.db.query<SendableRow>({
      name: 'messaging-sendable',
      // The status is asked so that the index of all that waits is of no use: by a plan that was made while little waited,
      // all of it would be read.
      text: `select id, account_id, queue, lane, from_number, to_number, body, retry_unknown, valid_until, traceparent,
          hops, ${IS_OPTED_OUT} as opted_out
        from messaging.message m where (account_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))
          and status || '' in ('queued', 'accepted') and valid_until > clock_timestamp() and ${notHalted('m.account_id')}`,
      values: [keys.map((key) => key.accountId), keys.map((key) => key.id)],
    });
    return new Map(rows.map((row) => [row.id, toSendable(row)]));
  }
}

function toSendable(row: SendableRow): Sendable {
  return {
    id: row.id,
    accountId: row.account_id,
    queue: row.queue,
    lane: row.lane as Lane,
    from: row.from_number,
    to: row.to_number,
    body: row.body,
    retryUnknown: row.retry_unknown,
    validUntil: row.valid_until,
    traceparent: row.traceparent,
    hops: row.hops,
    isOptedOut: row.opted_out,
  };
}
