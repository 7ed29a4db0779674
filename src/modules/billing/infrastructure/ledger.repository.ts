import { Injectable } from '@nestjs/common';
import type { ChargeKey } from '../domain/charge-key.js';
import { REVENUE_ID } from '../domain/ledger.js';
import { BillingDatabase } from './billing.storage.js';

export interface Reservation {
  readonly key: ChargeKey;
  readonly accountId: string;
  readonly amountMicros: number;
}

/** `reserved`: by this call or before, with the amount of then. */
export type Reserved =
  | { readonly state: 'reserved'; readonly amountMicros: number }
  | { readonly state: Refused | 'no_ledger' | 'already_resolved' };

/** What stands on the account's row did not allow it: it may, when something is given back or the day ends. */
type Refused = 'insufficient_balance' | 'quota_exhausted' | 'queue_full';

export interface Resolution {
  readonly key: string;
  /** `undo`: a void of what never came to be, which gives its place in the day's quota back. */
  readonly kind: 'post' | 'void' | 'undo';
}

interface GrantRow {
  ord: string;
  state: Refused | 'no_ledger' | 'raced';
  remaining: string | null;
  places: string | null;
}

interface ReservedRow {
  key: string;
  key_prefix: string;
  debit_id: string;
  credit_id: string;
  amount_micros: string;
  created_at: Date;
}

interface KnownRow {
  key: string;
  debit_id: string;
  amount_micros: string;
  kind: 'post' | 'void' | null;
}

/**
 * Reserves what is covered, in one statement that says nothing of the items it reserved; of the others, why not.
 *
 * Ledger accounts are locked in the order of their ids, all of them before the first row is written (that is what
 * counting them does), so that concurrent groups wait for each other instead of deadlocking; a group that waited sees
 * the balance that the one before it left. The running sum makes it one pass over the group: an item is covered if it
 * and all before it of the same account are. What follows a refused item is looked at again by the caller.
 *
 * `places` is how many messages the account may still have: by the day's quota and by the bound on what is open. The day
 * is that of the statement, in UTC, unless another statement has counted for a later one already; the entries are given
 * an instant of that day, so that whoever reads them counts for the same day.
 *
 * It reads no entry: a statement that waits for a row and then prunes partitions as it runs misses rows, or breaks its
 * server, in PostgreSQL 18.4. That a key is known already shows in its insert (`raced`); KNOWN tells the rest.
 */
const GRANT = `with item as materialized (
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[])
      with ordinality as i(key, prefix, account_id, amount, ord)
  ), locked as materialized (
    select id, balance_micros - reserved_micros - limit_micros as available,
      greatest(statement_timestamp(), quota_day::timestamp at time zone 'UTC') as at,
      quota_limit - case when quota_day >= (statement_timestamp() at time zone 'UTC')::date then quota_used else 0 end
        as quota,
      outstanding_limit - reserved_count as room
    from billing.ledger_account where id = any($3::uuid[]) and kind = 'customer' order by id for no key update
  ), asked as materialized (
    select i.*, sum(i.amount) over before as running, row_number() over before as nth
    from item i window before as (partition by i.account_id order by i.ord rows unbounded preceding)
  ), written as (
    insert into billing.entry (key, phase, kind, key_prefix, debit_id, credit_id, amount_micros, created_at)
    select a.key, 0, 'pending', a.prefix, a.account_id, $5::uuid, a.amount, l.at
    from asked a join locked l on l.id = a.account_id
    where a.running <= l.available and a.nth <= least(l.quota, l.room) and (select count(*) from locked) > 0
    on conflict do nothing returning key, debit_id, amount_micros
  ), granted as (
    select debit_id, sum(amount_micros) as amount, count(*) as messages from written group by debit_id
  ), moved as (
    update billing.ledger_account a set reserved_micros = a.reserved_micros + g.amount,
      reserved_count = a.reserved_count + g.messages, quota_day = (l.at at time zone 'UTC')::date,
      quota_used = case a.quota_day when (l.at at time zone 'UTC')::date then a.quota_used else 0 end + g.messages
    from granted g join locked l on l.id = g.debit_id where a.id = g.debit_id
  )
  select a.ord, case
      when l.id is null then 'no_ledger'
      when a.running <= l.available and a.nth <= least(l.quota, l.room) then 'raced'
      when l.quota <= coalesce(g.messages, 0) then 'quota_exhausted'
      when l.room <= coalesce(g.messages, 0) then 'queue_full'
      else 'insufficient_balance' end as state,
    l.available - coalesce(g.amount, 0) as remaining, least(l.quota, l.room) - coalesce(g.messages, 0) as places
  from asked a
    left join written w on w.key = a.key and w.debit_id = a.account_id and w.amount_micros = a.amount
    left join locked l on l.id = a.account_id left join granted g on g.debit_id = a.account_id
  where w.key is null order by a.ord`;

/** An entry that is looked up for each key: joined freely, a plan that was made for an empty table would read them all. */
const entryOf = (key: string, phase: 0 | 1) =>
  `lateral (select * from billing.entry where key = ${key} and phase = ${phase} offset 0)`;

/** What was reserved under some keys, which never changes. */
const RESERVED = `select e.key, e.key_prefix, e.debit_id, e.credit_id, e.amount_micros, e.created_at
  from unnest($1::uuid[]) as i(key) cross join ${entryOf('i.key', 0)} e`;

/** The same, and how it was resolved. */
const KNOWN = `select e.key, e.debit_id, e.amount_micros, r.kind
  from unnest($1::uuid[]) as i(key) cross join ${entryOf('i.key', 0)} e left join ${entryOf('i.key', 1)} r on true`;

/**
 * Resolves reservations that were read before, in one statement that says nothing of the items it resolved as asked: a
 * resolution row for each that has none, the reserved sum and count released, and what is posted moved from the customers
 * to the revenue account. What is undone gives its place in the quota back, if that is still the quota of its day. What
 * is posted counts for the usage of the entries' day, one row for an account in a group. Locks are taken as in GRANT, and
 * no entry is read, as there; rows of the usage are written under their account's lock, in the same order.
 */
const RESOLVE = `with item as materialized (
    select * from unnest($1::uuid[], $2::text[], $3::boolean[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[],
        $8::timestamptz[]) with ordinality as i(key, kind, undone, prefix, debit_id, credit_id, amount, reserved_at, ord)
  ), locked as materialized (
    select id, quota_day from billing.ledger_account
    where id in (select debit_id from item union select credit_id from item where kind = 'post')
    order by id for no key update
  ), written as (
    insert into billing.entry (key, phase, kind, key_prefix, debit_id, credit_id, amount_micros, undone)
    select key, 1, kind, prefix, debit_id, credit_id, amount, undone
    from item where (select count(*) from locked) > 0 order by ord
    on conflict do nothing returning key, key_prefix, kind, debit_id, credit_id, amount_micros, undone, created_at
  ), used as (
    insert into billing.usage_day as u (account_id, day, key_prefix, charges, amount_micros)
    select debit_id, (created_at at time zone 'UTC')::date, key_prefix, count(*), sum(amount_micros)
    from written where kind = 'post' group by 1, 2, 3 order by 1, 2, 3
    on conflict (account_id, day, key_prefix) do update
      set charges = u.charges + excluded.charges, amount_micros = u.amount_micros + excluded.amount_micros
  ), moved as (
    update billing.ledger_account a
    set reserved_micros = a.reserved_micros - m.released, balance_micros = a.balance_micros + m.gained,
      reserved_count = a.reserved_count - m.resolved, quota_used = a.quota_used - m.returned
    from (
      select id, sum(released) as released, sum(gained) as gained, sum(resolved) as resolved, sum(returned) as returned
      from (
        select debit_id as id, amount_micros as released, case kind when 'post' then -amount_micros else 0 end as gained,
          1 as resolved, 0 as returned
        from written
        union all
        select credit_id, 0, amount_micros, 0, 0 from written where kind = 'post'
        union all
        select l.id, 0, 0, 0, 1 from written w join locked l on l.id = w.debit_id where w.undone and exists (
          select from item i where i.key = w.key and (i.reserved_at at time zone 'UTC')::date = l.quota_day
        )
      ) side group by id
    ) m where a.id = m.id
  )
  select i.key from item i left join written w on w.key = i.key and w.kind = i.kind where w.key is null`;

/** The double-entry ledger's rows: the hot statements of the send path, written out. */
@Injectable()
export class LedgerRepository {
  constructor(private readonly db: BillingDatabase) {}

  /**
   * Reserves each item that its account's balance, quota and bound cover after those before it; states stand in the
   * order of the items. A key that was reserved before keeps its amount, and its place in the quota of its day.
   */
  async reserve(items: readonly Reservation[]): Promise<Reserved[]> {
    const states: Reserved[] = new Array(items.length);
    let open = items.map((_, index) => index);
    // Each pass decides at least the first open item of every account, so this ends. One pass is the rule: what the rest
    // of a balance cannot cover is not asked again.
    for (let pass = 0; open.length > 0 && pass <= items.length; pass++) open = await this.grant(items, open, states);
    if (open.length > 0) throw new Error('a reservation was neither made nor refused');
    return states;
  }

  /** Resolves reservations; for each the kind it is resolved with (now or before), or null where the key is unknown. */
  async settle(items: readonly Resolution[]): Promise<('post' | 'void' | null)[]> {
    if (items.length === 0) return [];
    const { rows } = await this.db.query<ReservedRow>({
      name: 'billing-reserved',
      text: RESERVED,
      values: [items.map((item) => item.key)],
    });
    const reserved = new Map(rows.map((row) => [row.key, row]));
    const open = items.flatMap((item) => {
      const entry = reserved.get(item.key);
      return entry ? [{ item, entry }] : [];
    });
    const before = open.length > 0 ? await this.resolve(open) : [];
    const known = await this.known(before);
    return items.map(({ key, kind }) => {
      if (!reserved.has(key)) return null;
      return known.get(key)?.kind ?? (kind === 'post' ? 'post' : 'void');
    });
  }

  /** One pass over the open items; returns those that another pass may decide otherwise. */
  private async grant(items: readonly Reservation[], open: readonly number[], states: Reserved[]): Promise<number[]> {
    const asked = open.map((index) => items[index]!);
    for (const index of open) states[index] = { state: 'reserved', amountMicros: items[index]!.amountMicros };
    const { rows } = await this.db.query<GrantRow>({
      name: 'billing-grant',
      text: GRANT,
      values: [
        asked.map((item) => item.key.id),
        asked.map((item) => item.key.prefix),
        asked.map((item) => item.accountId),
        asked.map((item) => item.amountMicros),
        REVENUE_ID,
      ],
    });
    if (rows.length === 0) return [];
    const left = rows.map((row) => ({ row, index: open[Number(row.ord) - 1]! }));
    const known = await this.known(left.map(({ index }) => items[index]!.key.id));
    return left.flatMap(({ row, index }) => {
      const item = items[index]!;
      const entry = known.get(item.key.id);
      if (entry) {
        const isMine = entry.debit_id === item.accountId && entry.kind === null;
        states[index] = isMine
          ? { state: 'reserved', amountMicros: Number(entry.amount_micros) }
          : { state: 'already_resolved' };
        return [];
      }
      if (row.state === 'raced') return [index];
      states[index] = { state: row.state };
      // Refused for what stands before it, it may fit into what is left.
      const fits = Number(row.places) > 0 && BigInt(item.amountMicros) <= BigInt(row.remaining ?? 0);
      return row.state !== 'no_ledger' && fits ? [index] : [];
    });
  }

  /** Seen by a statement of its own, after whatever the one before it waited for. */
  private async known(keys: readonly string[]): Promise<Map<string, KnownRow>> {
    if (keys.length === 0) return new Map();
    const { rows } = await this.db.query<KnownRow>({ name: 'billing-known', text: KNOWN, values: [keys] });
    return new Map(rows.map((row) => [row.key, row]));
  }

  /** Returns the keys that were resolved before. */
  private async resolve(open: readonly { item: Resolution; entry: ReservedRow }[]): Promise<string[]> {
    const { rows } = await this.db.query<{ key: string }>({
      name: 'billing-resolve',
      text: RESOLVE,
      values: [
        open.map(({ item }) => item.key),
        open.map(({ item }) => (item.kind === 'undo' ? 'void' : item.kind)),
        open.map(({ item }) => item.kind === 'undo'),
        open.map(({ entry }) => entry.key_prefix),
        open.map(({ entry }) => entry.debit_id),
        open.map(({ entry }) => entry.credit_id),
        open.map(({ entry }) => entry.amount_micros),
        open.map(({ entry }) => entry.created_at),
      ],
    });
    return rows.map((row) => row.key);
  }
}
