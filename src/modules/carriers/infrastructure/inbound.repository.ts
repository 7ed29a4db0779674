import { Injectable } from '@nestjs/common';
import type { NewEvent } from '../../../shared/define-event.js';
import { idFloor } from '../../../shared/sid.js';
import type { InboundContent } from '../contract/carriers.api.js';
import type { Alphabet } from '../domain/alphabets.js';
import type { Arrival, InboundPart, RecentMessage } from '../domain/inbound.js';
import type { Assembled, Repetition } from '../domain/inbound-assembly.js';
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

interface PartRow {
  id: string;
  carrier: string;
  sender: string;
  recipient: string;
  reference: number;
  total: number;
  part: number;
  alphabet: Alphabet;
  octets: Buffer;
  session: string | null;
  inbound_id: string | null;
  received_at: Date;
}

const PART = `p.id, p.carrier, p.sender, p.recipient, p.reference, p.total, p.part, p.alphabet, p.octets, p.session,
  p.inbound_id, p.received_at`;

/** However often somebody says the same, no more than the newest of it is looked at. */
const MAX_ALIKE = 300;

const RECENT = `select r.* from unnest($1::text[]) as f(fingerprint) cross join lateral (
    select id, fingerprint, session from carriers.inbound i where i.fingerprint = f.fingerprint and i.id >= $2::uuid
    order by i.fingerprint, i.id desc limit ${MAX_ALIKE}) r
  union select id, fingerprint, session from carriers.inbound where id = any($3::uuid[])`;

/** The parts that wait, at most 255 of a message, and then those that say the same as the one that came. */
const PARTS = `select distinct on (p.id) p.* from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::smallint[],
    $6::smallint[], $7::bytea[]) as w(carrier, sender, recipient, reference, total, part, octets)
  cross join lateral (
    select ${PART} from carriers.inbound_part p where p.carrier = w.carrier and p.sender = w.sender
      and p.recipient = w.recipient and p.reference = w.reference and p.total = w.total
      and (p.inbound_id is null or (p.part = w.part and p.octets = w.octets))
    order by p.inbound_id is not null, p.id desc limit ${MAX_ALIKE}) p
  order by p.id`;

const LATE = `with late as materialized (
    select distinct carrier, sender, recipient, reference, total from (
      select * from carriers.inbound_part where inbound_id is null and id < $1::uuid order by id limit $2) as first
  )
  select ${PART} from late l join carriers.inbound_part p on p.carrier = l.carrier and p.sender = l.sender
    and p.recipient = l.recipient and p.reference = l.reference and p.total = l.total
  where p.inbound_id is null order by p.id`;

/** One statement, so that no worker that stops in between keeps the lease locked. */
function recordStatement(log: CarriersLog): string {
  return `with ${LEASE_GUARD}, message as (
    insert into carriers.inbound (id, carrier, sender, recipient, text, encoding, segments, missing, fingerprint,
      session, received_at)
    select * from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::smallint[],
      $10::smallint[], $11::text[], $12::uuid[], $13::timestamptz[])
    where exists (select from guard) on conflict do nothing
  ), part as (
    insert into carriers.inbound_part (id, carrier, sender, recipient, reference, total, part, alphabet, octets, session,
      inbound_id, received_at)
    select * from unnest($14::uuid[], $15::text[], $16::text[], $17::text[], $18::int[], $19::smallint[], $20::smallint[],
      $21::text[], $22::bytea[], $23::uuid[], $24::uuid[], $25::timestamptz[])
    where exists (select from guard) on conflict do nothing
  ), joined as (
    update carriers.inbound_part p set inbound_id = j.inbound_id
    from unnest($26::uuid[], $27::uuid[]) as j(id, inbound_id) where p.id = j.id and exists (select from guard)
  ), fresh as materialized (
    select row_number() over (order by i.ord) as ord, i.stream_id, i.version, i.type, i.tenant_id, i.data, i.causation,
      i.traceparent
    from unnest($28::uuid[], $29::int[], $30::text[], $31::uuid[], $32::text[], $33::text[], $34::text[])
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

  /** The parts that are kept of the messages that these arrivals are part of, oldest first. */
  async partsLike(arrivals: readonly Arrival[]): Promise<InboundPart[]> {
    const wanted = arrivals.flatMap((a) => (a.concatenation ? { ...a, ...a.concatenation } : []));
    if (wanted.length === 0) return [];
    const { rows } = await this.db.query<PartRow>({
      name: 'carriers-inbound-parts',
      text: PARTS,
      values: [
        wanted.map((w) => w.carrier),
        wanted.map((w) => w.from),
        wanted.map((w) => w.to),
        wanted.map((w) => w.reference),
        wanted.map((w) => w.total),
        wanted.map((w) => w.part),
        wanted.map((w) => Buffer.from(w.octets)),
      ],
    });
    return rows.map(toPart);
  }

  /** The messages since an instant that have one of these fingerprints, and those that have one of these ids. */
  async recent(fingerprints: readonly string[], sinceMs: number, ids: readonly string[]): Promise<RecentMessage[]> {
    if (ids.length === 0) return [];
    const { rows } = await this.db.query<RecentMessage>({
      name: 'carriers-inbound-recent',
      text: RECENT,
      values: [fingerprints, idFloor(sinceMs), ids],
    });
    return rows;
  }

  /** The waiting parts of messages whose first part came before an instant, of at most `limit` messages. */
  async late(beforeMs: number, limit: number): Promise<InboundPart[]> {
    const { rows } = await this.db.control.query<PartRow>(LATE, [idFloor(beforeMs), limit]);
    return rows.map(toPart);
  }

  /** Removes parts that belong to a message and came before an instant, at most `limit`; returns how many. */
  async forgetParts(lease: HeldLease, beforeMs: number, limit: number): Promise<number> {
    const { rowCount } = await this.db.control.query(
      `with ${LEASE_GUARD} delete from carriers.inbound_part where exists (select from guard) and id = any(array(
        select id from carriers.inbound_part where inbound_id is not null and id < $3::uuid order by id limit $4))`,
      [lease.owner, lease.epoch, idFloor(beforeMs), limit],
    );
    return rowCount ?? 0;
  }

  /** Notes the session in which a carrier heard of a message or a part that it brought again. */
  async heard({ id, session }: Repetition): Promise<void> {
    await this.db.query('update carriers.inbound_part set session = $2 where id = $1', [id, session]);
    await this.db.query('update carriers.inbound set session = $2 where id = $1', [id, session]);
  }

  /**
   * Writes messages, parts and events in one statement, which may be repeated: what is there already is left as it is.
   *
   * @throws BindsLost
   */
  async record(lease: HeldLease, assembled: Assembled, events: readonly NewEvent[]): Promise<void> {
    const { messages, newParts: parts, joined } = assembled;
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
        parts.map((p) => p.id),
        parts.map((p) => p.carrier),
        parts.map((p) => p.from),
        parts.map((p) => p.to),
        parts.map((p) => p.reference),
        parts.map((p) => p.total),
        parts.map((p) => p.part),
        parts.map((p) => p.alphabet),
        parts.map((p) => Buffer.from(p.octets)),
        parts.map((p) => p.session),
        parts.map((p) => p.inboundId),
        parts.map((p) => new Date(p.receivedAtMs)),
        joined.map((j) => j.id),
        joined.map((j) => j.inboundId),
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
      values: [uuids(ids)],
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

  /** Empties the texts of these messages, and forgets the parts that they were made of. */
  async redact(ids: readonly string[]): Promise<void> {
    await this.db.control.query('delete from carriers.inbound_part where inbound_id = any($1::uuid[])', [uuids(ids)]);
    await this.db.query({
      name: 'carriers-redact-inbound',
      text: `update carriers.inbound set text = '' where id = any($1::uuid[]) and text <> ''`,
      values: [uuids(ids)],
    });
  }
}

/** Those that can be ids, in the order of all: two calls lock what they share in the same order. */
function uuids(ids: readonly string[]): string[] {
  return ids
    .map((id) => id.toLowerCase())
    .filter((id) => UUID.test(id))
    .sort();
}

function toPart(row: PartRow): InboundPart {
  const { id, carrier, reference, total, part, alphabet, octets, session } = row;
  return {
    id,
    carrier,
    from: row.sender,
    to: row.recipient,
    reference,
    total,
    part,
    alphabet,
    octets,
    session,
    inboundId: row.inbound_id,
    receivedAtMs: row.received_at.getTime(),
  };
}
