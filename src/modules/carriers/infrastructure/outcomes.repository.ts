import { Injectable } from '@nestjs/common';
import type { NewEvent } from '../../../shared/define-event.js';
import type { AnsweredSubmission, OrphanReceipt, SegmentMatch } from '../domain/submission.js';
import { BindsLost, type HeldLease, LEASE_GUARD } from './binds-lease.repository.js';
import { CarriersDatabase, CarriersLog } from './carriers.storage.js';

/** What one group of outcomes changes. */
export interface OutcomeBatch {
  readonly answered: readonly AnsweredSubmission[];
  readonly events: readonly NewEvent[];
  readonly closedIntents: readonly string[];
  /** Keys that were given back, of intents that stay open. */
  readonly returnedKeys: readonly { readonly intentId: string; readonly key: string }[];
  readonly adoptedOrphans: readonly string[];
  readonly newOrphans: readonly OrphanReceipt[];
}

interface RecordedRow {
  held: number;
  appended: number;
  base: string;
  at: Date;
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
  state: OrphanReceipt['state'];
  error_code: number | null;
  done_date: string | null;
  received_at: Date;
}

/** One commit for all of it: what a crash leaves of a group is all or nothing. */
function recordStatement(log: CarriersLog): string {
  return `with ${LEASE_GUARD}, answered as (
    insert into carriers.submission (key, account_id, carrier, outcome, error_code, segments, message_id, destination)
    select * from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::int[], $8::smallint[], $9::text[], $10::text[])
    where exists (select from guard) on conflict do nothing
  ), segment as (
    insert into carriers.submission_segment (key, segment, carrier, message_id)
    select * from unnest($11::uuid[], $12::smallint[], $13::text[], $14::text[])
    where exists (select from guard) on conflict do nothing
  ), closed as (
    delete from carriers.intent where id = any($15::uuid[]) and exists (select from guard)
  ), returned as (
    update carriers.intent i set returned = i.returned || r.keys
    from (select id, array_agg(key) as keys from unnest($16::uuid[], $17::uuid[]) as u(id, key) group by id) r
    where i.id = r.id and exists (select from guard)
  ), adopted as (
    delete from carriers.orphan_receipt where id = any($18::uuid[]) and exists (select from guard)
  ), orphaned as (
    insert into carriers.orphan_receipt (id, carrier, message_id, source, state, error_code, done_date)
    select * from unnest($19::uuid[], $20::text[], $21::text[], $22::text[], $23::text[], $24::int[], $25::text[])
    where exists (select from guard) on conflict do nothing
  ), fresh as materialized (
    select row_number() over (order by i.ord) as ord, i.stream_id, i.version, i.type, i.tenant_id, i.data, i.causation,
      i.traceparent
    from unnest($26::uuid[], $27::int[], $28::text[], $29::uuid[], $30::text[], $31::text[], $32::text[])
      with ordinality as i(stream_id, version, type, tenant_id, data, causation, traceparent, ord)
    where exists (select from guard)
      and not exists (select from carriers.event e where e.stream_id = i.stream_id and e.version = i.version)
  ), ${log.headCte('(select count(*) from fresh)')}, event as (
    ${log.insert('head', 'fresh e')}
  ) select (select count(*) from guard)::int as held, (select count(*) from fresh)::int as appended, base, at from head`;
}

const MATCH = `with wanted as materialized (select * from unnest($1::text[], $2::text[]) as w(carrier, message_id))
  select s.key, s.account_id, 1 as segment, s.segments, s.carrier, s.message_id, s.destination
  from wanted w join carriers.submission s on s.carrier = w.carrier and s.message_id = w.message_id
  union all
  select g.key, s.account_id, g.segment, s.segments, g.carrier, g.message_id, s.destination
  from wanted w join carriers.submission_segment g on g.carrier = w.carrier and g.message_id = w.message_id
    join carriers.submission s on s.key = g.key
  order by key desc`;

/** What became of submissions: answers, receipts, and receipts that match nothing. All under the binds' lease. */
@Injectable()
export class OutcomesRepository {
  private readonly recordText: string;

  constructor(
    private readonly db: CarriersDatabase,
    private readonly log: CarriersLog,
  ) {
    this.recordText = recordStatement(log);
  }

  /**
   * Writes a group of outcomes and their events in one statement, which may be repeated: what is there already is left
   * as it is.
   *
   * @throws BindsLost
   */
  async record(lease: HeldLease, batch: OutcomeBatch): Promise<void> {
    const { answered, returnedKeys, newOrphans } = batch;
    const later = answered.flatMap((submission) =>
      submission.messageIds.flatMap((messageId, index) =>
        index > 0 && messageId !== '' ? { ...submission, messageId, segment: index + 1 } : [],
      ),
    );
    const { rows } = await this.db.query<RecordedRow>({
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
        answered.map((s) => s.messageIds[0] || null),
        answered.map((s) => s.destination),
        later.map((s) => s.key),
        later.map((s) => s.segment),
        later.map((s) => s.carrier),
        later.map((s) => s.messageId),
        batch.closedIntents,
        returnedKeys.map((r) => r.intentId),
        returnedKeys.map((r) => r.key),
        batch.adoptedOrphans,
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
    const row = rows[0]!;
    if (row.held !== 1) throw new BindsLost();
    // Which of them had been written before, a repetition does not tell.
    if (row.appended === batch.events.length && row.appended > 0)
      this.log.committed(this.log.appended(batch.events, row));
    else this.log.wake();
  }

  /** The segments that carriers gave these ids to, those of the newest submissions first. */
  async match(wanted: readonly { carrier: string; messageId: string }[]): Promise<SegmentMatch[]> {
    if (wanted.length === 0) return [];
    const { rows } = await this.db.query<MatchRow>({
      name: 'carriers-match',
      text: MATCH,
      values: [wanted.map((one) => one.carrier), wanted.map((one) => one.messageId)],
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

  /** The newest receipts that wait for their submission, oldest first. */
  async newestOrphans(limit: number): Promise<OrphanReceipt[]> {
    const { rows } = await this.db.control.query<OrphanRow>(
      `select id, carrier, message_id, source, state, error_code, done_date, received_at
        from carriers.orphan_receipt order by id desc limit $1`,
      [limit],
    );
    return rows.reverse().map((row) => ({
      id: row.id,
      carrier: row.carrier,
      messageId: row.message_id,
      source: row.source,
      state: row.state,
      errorCode: row.error_code,
      doneDate: row.done_date,
      receivedAtMs: row.received_at.getTime(),
    }));
  }
}
