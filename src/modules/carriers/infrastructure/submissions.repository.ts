import { Injectable } from '@nestjs/common';
import type { NewEvent } from '../../../shared/define-event.js';
import type { HeldLease } from './binds-lease.repository.js';
import { CarriersDatabase, CarriersLog } from './carriers.storage.js';

/** A key in an intent: enough to say what became of it if nobody else can. */
export interface Intended {
  readonly key: string;
  readonly accountId: string;
  readonly carrier: string;
  readonly destination: string;
  readonly retryUnknown: boolean;
  readonly segments: number;
}

export interface IntentRow {
  readonly id: string;
  readonly items: readonly Intended[];
}

/** A submission whose outcome is certain. */
export interface AnsweredSubmission {
  readonly key: string;
  readonly accountId: string;
  readonly carrier: string;
  readonly outcome: 'accepted' | 'rejected' | 'unknown';
  readonly errorCode: number | null;
  readonly segments: number;
  readonly destination: string;
  /** The carrier's ids of the segments, in normal form; empty where it gave none. */
  readonly messageIds: readonly string[];
}

export interface OrphanReceipt {
  readonly id: string;
  readonly carrier: string;
  readonly messageId: string;
  readonly source: string;
  readonly state: string;
  readonly errorCode: number | null;
  readonly doneDate: string | null;
}

/** A submission's segment as its receipt finds it. */
export interface SegmentMatch {
  readonly key: string;
  readonly accountId: string;
  readonly segment: number;
  readonly segments: number;
  readonly carrier: string;
  readonly messageId: string;
  readonly destination: string;
}

/** What one group of outcomes changes. */
export interface OutcomeBatch {
  readonly answered: readonly AnsweredSubmission[];
  readonly events: readonly NewEvent[];
  readonly closedIntents: readonly string[];
  readonly replacedIntents: readonly IntentRow[];
  readonly matchedOrphans: readonly string[];
  readonly newOrphans: readonly OrphanReceipt[];
}

/** The lease of the binds belongs to another worker: nothing was written. */
export class BindsLost extends Error {
  constructor() {
    super('the binds belong to another worker now');
    this.name = 'BindsLost';
  }
}

const GUARD = `guard as materialized (
    select 1 from carriers.lease where name = 'binds' and owner = $1 and epoch = $2 for share
  )`;

const INTEND = `with ${GUARD}, item as (
    select i.* from unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::boolean[], $9::smallint[])
      with ordinality as i(key, account_id, carrier, destination, retry_unknown, segments, ord)
    where not exists (select from carriers.submission s where s.key = i.key)
  ), written as (
    insert into carriers.intent (id, epoch, keys, account_ids, carriers, destinations, retry_unknown, segments)
    select $3::uuid, $2, array_agg(key order by ord), array_agg(account_id order by ord), array_agg(carrier order by ord),
      array_agg(destination order by ord), array_agg(retry_unknown order by ord), array_agg(segments order by ord)
    from item where exists (select from guard) having count(*) > 0 returning keys
  )
  select (select count(*) from guard)::int as held, (select keys from written) as keys`;

function recordStatement(log: CarriersLog): string {
  return `with ${GUARD}, answered as (
    insert into carriers.submission (key, account_id, carrier, outcome, error_code, segments, message_id, destination)
    select * from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::int[], $8::smallint[], $9::text[], $10::text[])
    where exists (select from guard) on conflict do nothing
  ), segment as (
    insert into carriers.submission_segment (key, segment, carrier, message_id)
    select * from unnest($11::uuid[], $12::smallint[], $13::text[], $14::text[])
    where exists (select from guard) on conflict do nothing
  ), closed as (
    delete from carriers.intent where id = any($15::uuid[]) and exists (select from guard)
  ), matched as (
    delete from carriers.orphan_receipt where id = any($16::uuid[]) and exists (select from guard)
  ), orphaned as (
    insert into carriers.orphan_receipt (id, carrier, message_id, source, state, error_code, done_date)
    select * from unnest($17::uuid[], $18::text[], $19::text[], $20::text[], $21::text[], $22::int[], $23::text[])
    where exists (select from guard)
  ), fresh as materialized (
    select row_number() over (order by i.ord) as ord, i.stream_id, i.version, i.type, i.tenant_id, i.data, i.causation,
      i.traceparent
    from unnest($24::uuid[], $25::int[], $26::text[], $27::uuid[], $28::text[], $29::text[], $30::text[])
      with ordinality as i(stream_id, version, type, tenant_id, data, causation, traceparent, ord)
    where exists (select from guard)
      and not exists (select from carriers.event e where e.stream_id = i.stream_id and e.version = i.version)
  ), ${log.headCte('(select count(*) from fresh)')}, event as (
    ${log.insert('head', 'fresh e')}
  ) select (select count(*) from guard)::int as held`;
}

/** The rows of submissions: intents before the first byte, answers and receipts after. All under the binds' lease. */
@Injectable()
export class SubmissionsRepository {
  private readonly recordText: string;

  constructor(
    private readonly db: CarriersDatabase,
    private readonly log: CarriersLog,
  ) {
    this.recordText = recordStatement(log);
  }

  /**
   * Makes keys durable before anything of theirs leaves. Returns those that are new; the others have their answer.
   *
   * @throws BindsLost
   */
  async intend(lease: HeldLease, id: string, items: readonly Intended[]): Promise<Set<string>> {
    const { rows } = await this.db.query<{ held: number; keys: string[] | null }>({
      name: 'carriers-intend',
      text: INTEND,
      values: [lease.owner, lease.epoch, id, ...columnsOf(items)],
    });
    if (rows[0]!.held !== 1) throw new BindsLost();
    return new Set(rows[0]!.keys ?? []);
  }

  /** Writes a group of outcomes and their events in one statement. An event that is there already is left out. @throws BindsLost */
  async record(lease: HeldLease, batch: OutcomeBatch): Promise<void> {
    if (batch.replacedIntents.length > 0) await this.replaceIntents(lease, batch.replacedIntents);
    const { answered, newOrphans } = batch;
    const later = answered.flatMap((submission) =>
      submission.messageIds.slice(1).map((messageId, index) => ({ ...submission, messageId, segment: index + 2 })),
    );
    const { rows } = await this.db.query<{ held: number }>({
      name: 'carriers-record',
      text: this.recordText,
      values: [
        lease.owner,
        lease.epoch,
        answered.map((s) => s.key),
        answered.map((s) => s.accountId),
        answered.map((s) => s.carrier),
        answered.map((s) => s.outcome),
        answered.map((s) => s.errorCode),
        answered.map((s) => s.segments),
        answered.map((s) => s.messageIds[0] ?? null),
        answered.map((s) => s.destination),
        later.map((s) => s.key),
        later.map((s) => s.segment),
        later.map((s) => s.carrier),
        later.map((s) => s.messageId),
        batch.closedIntents,
        batch.matchedOrphans,
        newOrphans.map((o) => o.id),
        newOrphans.map((o) => o.carrier),
        newOrphans.map((o) => o.messageId),
        newOrphans.map((o) => o.source),
        newOrphans.map((o) => o.state),
        newOrphans.map((o) => o.errorCode),
        newOrphans.map((o) => o.doneDate),
        ...this.log.columns(batch.events),
      ],
    });
    if (rows[0]!.held !== 1) throw new BindsLost();
    if (batch.events.length > 0) this.log.wake();
  }

  /** The segments that carriers gave these ids to. */
  async match(carriers: readonly string[], messageIds: readonly string[]): Promise<SegmentMatch[]> {
    if (messageIds.length === 0) return [];
    const { rows } = await this.db.query<MatchRow>({
      name: 'carriers-match',
      text: `with wanted as materialized (select * from unnest($1::text[], $2::text[]) as w(carrier, message_id))
        select s.key, s.account_id, 1 as segment, s.segments, s.carrier, s.message_id, s.destination
        from wanted w join carriers.submission s on s.carrier = w.carrier and s.message_id = w.message_id
        union all
        select g.key, s.account_id, g.segment, s.segments, g.carrier, g.message_id, s.destination
        from wanted w join carriers.submission_segment g on g.carrier = w.carrier and g.message_id = w.message_id
          join carriers.submission s on s.key = g.key`,
      values: [carriers, messageIds],
    });
    return rows.map((row) => ({
      key: row.key,
      accountId: row.account_id,
      segment: row.segment,
      segments: row.segments,
      carrier: row.carrier,
      messageId: row.message_id,
      destination: row.destination,
    }));
  }

  /** Receipts that wait for their submission, oldest first. */
  async orphans(limit: number, after = '00000000-0000-0000-0000-000000000000'): Promise<OrphanReceipt[]> {
    const { rows } = await this.db.control.query<OrphanRow>(
      `select id, carrier, message_id, source, state, error_code, done_date from carriers.orphan_receipt
        where id > $2 order by id limit $1`,
      [limit, after],
    );
    return rows.map((row) => ({
      id: row.id,
      carrier: row.carrier,
      messageId: row.message_id,
      source: row.source,
      state: row.state,
      errorCode: row.error_code,
      doneDate: row.done_date,
    }));
  }

  /** The intents that earlier owners left open, each with the keys that have no answer. */
  async leftIntents(lease: HeldLease, limit: number): Promise<IntentRow[]> {
    const { rows } = await this.db.query<LeftRow>(
      `select i.id, k.key, k.account_id, k.carrier, k.destination, k.retry_unknown, k.segments
        from (select * from carriers.intent where epoch < $1 order by id limit $2) i
        left join lateral (
          select * from unnest(i.keys, i.account_ids, i.carriers, i.destinations, i.retry_unknown, i.segments)
            as u(key, account_id, carrier, destination, retry_unknown, segments)
          where not exists (select from carriers.submission s where s.key = u.key)
        ) k on true order by i.id`,
      [lease.epoch, limit],
    );
    const intents = new Map<string, Intended[]>();
    for (const row of rows) {
      const items = intents.get(row.id) ?? [];
      intents.set(row.id, items);
      if (row.key === null) continue;
      items.push({
        key: row.key,
        accountId: row.account_id,
        carrier: row.carrier,
        destination: row.destination,
        retryUnknown: row.retry_unknown,
        segments: row.segments,
      });
    }
    return [...intents].map(([id, items]) => ({ id, items }));
  }

  /** Of these keys, those that are answered or intended. */
  async known(keys: readonly string[]): Promise<Set<string>> {
    const { rows } = await this.db.query<{ key: string }>(
      `select key from carriers.submission where key = any($1::uuid[])
        union select k.key from carriers.intent i, unnest(i.keys) as k(key) where k.key = any($1::uuid[])`,
      [keys],
    );
    return new Set(rows.map((row) => row.key));
  }

  private async replaceIntents(lease: HeldLease, intents: readonly IntentRow[]): Promise<void> {
    for (const intent of intents) {
      const { rowCount } = await this.db.query(
        `update carriers.intent set keys = $4::uuid[], account_ids = $5::uuid[], carriers = $6::text[],
            destinations = $7::text[], retry_unknown = $8::boolean[], segments = $9::smallint[]
          where id = $3 and exists (select from carriers.lease where name = 'binds' and owner = $1 and epoch = $2)`,
        [lease.owner, lease.epoch, intent.id, ...columnsOf(intent.items)],
      );
      if (rowCount !== 1) throw new BindsLost();
    }
  }
}

interface MatchRow {
  key: string;
  account_id: string;
  segment: number;
  segments: number;
  carrier: string;
  message_id: string;
  destination: string;
}

interface OrphanRow {
  id: string;
  carrier: string;
  message_id: string;
  source: string;
  state: string;
  error_code: number | null;
  done_date: string | null;
}

interface LeftRow {
  id: string;
  key: string | null;
  account_id: string;
  carrier: string;
  destination: string;
  retry_unknown: boolean;
  segments: number;
}

function columnsOf(items: readonly Intended[]): unknown[] {
  return [
    items.map((item) => item.key),
    items.map((item) => item.accountId),
    items.map((item) => item.carrier),
    items.map((item) => item.destination),
    items.map((item) => item.retryUnknown),
    items.map((item) => item.segments),
  ];
}
