import { Injectable } from '@nestjs/common';
import type { NewEvent } from '../../../shared/define-event.js';
import type { InboundContent } from '../contract/carriers.api.js';
import type { InboundMessage } from '../domain/inbound.js';
import { BindsLost, type HeldLease, LEASE_GUARD } from './binds-lease.repository.js';
import { CarriersDatabase, CarriersLog } from './carriers.storage.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface ContentRow {
  id: string;
  sender: string;
  recipient: string;
  text: string;
  encoding: InboundContent['encoding'];
  segments: number;
  received_at: Date;
}

interface RecordedRow {
  held: number;
  appended: number;
  base: string;
  at: Date;
}

/** One statement, so that no worker that stops in between keeps the lease locked. */
function recordStatement(log: CarriersLog): string {
  return `with ${LEASE_GUARD}, message as (
    insert into carriers.inbound (id, carrier, sender, recipient, text, encoding, segments, missing, fingerprint,
      session, received_at)
    select * from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::smallint[],
      $10::smallint[], $11::text[], $12::uuid[], $13::timestamptz[])
    where exists (select from guard) on conflict do nothing
  ), fresh as materialized (
    select row_number() over (order by i.ord) as ord, i.stream_id, i.version, i.type, i.tenant_id, i.data, i.causation,
      i.traceparent
    from unnest($14::uuid[], $15::int[], $16::text[], $17::uuid[], $18::text[], $19::text[], $20::text[])
      with ordinality as i(stream_id, version, type, tenant_id, data, causation, traceparent, ord)
    where exists (select from guard)
      and not exists (select from carriers.event e where e.stream_id = i.stream_id and e.version = i.version)
  ), ${log.headCte('(select count(*) from fresh)')}, event as (
    ${log.insert('head', 'fresh e')}
  ) select (select count(*) from guard)::int as held, (select count(*) from fresh)::int as appended, base, at from head`;
}

/** What came in from phones, with the event of each message in the same commit. */
@Injectable()
export class InboundRepository {
  private readonly recordText: string;

  constructor(
    private readonly db: CarriersDatabase,
    private readonly log: CarriersLog,
  ) {
    this.recordText = recordStatement(log);
  }

  /**
   * Writes messages and their events in one statement, which may be repeated: what is there already is left as it is.
   *
   * @throws BindsLost
   */
  async record(lease: HeldLease, messages: readonly InboundMessage[], events: readonly NewEvent[]): Promise<void> {
    const { rows } = await this.db.query<RecordedRow>({
      name: 'carriers-record-inbound',
      text: this.recordText,
      values: [
        lease.owner,
        lease.epoch,
        messages.map((m) => m.id),
        messages.map((m) => m.carrier),
        messages.map((m) => m.from),
        messages.map((m) => m.to),
        messages.map((m) => m.text),
        messages.map((m) => m.encoding),
        messages.map((m) => m.segments),
        messages.map((m) => m.missing),
        messages.map((m) => m.fingerprint),
        messages.map((m) => m.session),
        messages.map((m) => new Date(m.receivedAtMs)),
        ...this.log.columns(events),
      ],
    });
    const row = rows[0]!;
    if (row.held !== 1) throw new BindsLost();
    if (row.appended === events.length && row.appended > 0) this.log.committed(this.log.appended(events, row));
    else this.log.wake();
  }

  /** The messages of these ids that exist. What is no id has none. */
  async contents(ids: readonly string[]): Promise<InboundContent[]> {
    const { rows } = await this.db.query<ContentRow>({
      name: 'carriers-inbound-contents',
      text: `select id, sender, recipient, text, encoding, segments, received_at
        from carriers.inbound where id = any($1::uuid[])`,
      values: [ids.map((id) => id.toLowerCase()).filter((id) => UUID.test(id))],
    });
    return rows.map((row) => ({
      inboundId: row.id,
      from: row.sender,
      to: row.recipient,
      text: row.text,
      encoding: row.encoding,
      segments: row.segments,
      receivedAt: row.received_at.toISOString(),
    }));
  }
}
