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

const REFUSED: ReadonlySet<string> = new Set<Refused>(['insufficient_balance', 'quota_exhausted', 'queue_full']);

export interface Resolution {
  readonly key: string;
  /** `undo`: a void of what never came to be, which gives its place in the day's quota back. */
  readonly kind: 'post' | 'void' | 'undo';
}

interface ReserveRow {
  ord: string;
  state: Reserved['state'] | 'raced';
  amount: string | null;
  remaining: string | null;
  places: string | null;
  waited: boolean | null;
}

interface SettleRow {
  ord: string;
  kind: 'post' | 'void' | 'raced' | null;
}

/**
 * Reserves what is covered, in one statement that says nothing of the items it reserved.
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
 * `waited`: the account's row was changed by a transaction that this statement waited for; what that one wrote is in
 * the balance, but not in what this statement sees of the entries.
 *
 * The bounds on the key let the planner leave out every partition but the one or two that hold the group; the limit
 * of one keeps it from reading all that lies between them where its statistics, always older than the newest keys, say
 * that nothing does.
 */
const RESERVE = `with item as materialized (
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[])
      with ordinality as i(key, prefix, account_id, amount, ord)
  ), known as materialized (
    select i.ord, e.amount_micros, e.debit_id <> i.account_id or exists (
        select from billing.entry r where r.key = i.key and r.phase = 1 and r.key between $6 and $7
      ) as resolved
    from item i cross join lateral (
      select * from billing.entry where key = i.key and phase = 0 and key between $6 and $7 limit 1
    ) e
  ), locked as materialized (
    select id, balance_micros - reserved_micros - limit_micros as available, ctid as place,
      greatest(statement_timestamp(), quota_day::timestamp at time zone 'UTC') as at,
      quota_limit - case when quota_day >= (statement_timestamp() at time zone 'UTC')::date then quota_used else 0 end
        as quota,
      outstanding_limit - reserved_count as room
    from billing.ledger_account where id = any($3::uuid[]) and kind = 'customer' order by id for no key update
  ), seen as (
    select id, ctid as place from billing.ledger_account where id = any($3::uuid[])
  ), fresh as materialized (
    select i.*, sum(i.amount) over before as running, row_number() over before as nth
    from item i where not exists (select from known k where k.ord = i.ord)
    window before as (partition by i.account_id order by i.ord rows unbounded preceding)
  ), written as (
    insert into billing.entry (key, phase, kind, key_prefix, debit_id, credit_id, amount_micros, created_at)
    select f.key, 0, 'pending', f.prefix, f.account_id, $5::uuid, f.amount, l.at
    from fresh f join locked l on l.id = f.account_id
    where f.running <= l.available and f.nth <= least(l.quota, l.room) and (select count(*) from locked) > 0
    on conflict do nothing returning key, debit_id, amount_micros
  ), granted as (
    select debit_id, sum(amount_micros) as amount, count(*) as messages from written group by debit_id
  ), moved as (
    update billing.ledger_account a set reserved_micros = a.reserved_micros + g.amount,
      reserved_count = a.reserved_count + g.messages, quota_day = (l.at at time zone 'UTC')::date,
      quota_used = case a.quota_day when (l.at at time zone 'UTC')::date then a.quota_used else 0 end + g.messages
    from granted g join locked l on l.id = g.debit_id where a.id = g.debit_id
  )
  select i.ord, case
      when k.resolved then 'already_resolved'
      when k.ord is not null then 'reserved'
      when l.id is null then 'no_ledger'
      when f.running <= l.available and f.nth <= least(l.quota, l.room) then 'raced'
      when l.quota <= coalesce(g.messages, 0) then 'quota_exhausted'
      when l.room <= coalesce(g.messages, 0) then 'queue_full'
      else 'insufficient_balance' end as state,
    k.amount_micros as amount, l.available - coalesce(g.amount, 0) as remaining,
    least(l.quota, l.room) - coalesce(g.messages, 0) as places, s.place <> l.place as waited
  from item i
    left join written w on w.key = i.key and w.debit_id = i.account_id and w.amount_micros = i.amount
    left join known k on k.ord = i.ord left join fresh f on f.ord = i.ord
    left join locked l on l.id = i.account_id left join seen s on s.id = i.account_id
    left join granted g on g.debit_id = i.account_id
  where w.key is null`;

/**
 * Resolves reservations in one statement that says nothing of the items it resolved as asked: a resolution row for
 * each that has none, the reserved sum and count released, and what is posted moved from the customers to the revenue
 * account. What is undone gives its place in the quota back, if that is still the quota of its day. Locks are taken as
 * in RESERVE.
 */
const SETTLE = `with item as materialized (
    select key, case kind when 'undo' then 'void' else kind end as kind, kind = 'undo' as undone, ord
    from unnest($1::uuid[], $2::text[]) with ordinality as i(key, kind, ord)
  ), pending as materialized (
    select i.ord, i.key, i.kind, i.undone, e.key_prefix, e.debit_id, e.credit_id, e.amount_micros, e.created_at
    from item i cross join lateral (
      select * from billing.entry where key = i.key and phase = 0 and key between $3 and $4 limit 1
    ) e
  ), locked as materialized (
    select id, quota_day from billing.ledger_account
    where id in (select debit_id from pending union select credit_id from pending where kind = 'post')
    order by id for no key update
  ), written as (
    insert into billing.entry (key, phase, kind, key_prefix, debit_id, credit_id, amount_micros, undone)
    select p.key, 1, p.kind, p.key_prefix, p.debit_id, p.credit_id, p.amount_micros, p.undone
    from pending p where (select count(*) from locked) > 0 order by p.ord
    on conflict do nothing returning key, kind, debit_id, credit_id, amount_micros, undone
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
          select from pending p where p.key = w.key and (p.created_at at time zone 'UTC')::date = l.quota_day
        )
      ) side group by id
    ) m where a.id = m.id
  )
  select i.ord, coalesce(w.kind, e.kind, case when p.key is not null then 'raced' end) as kind
  from item i left join pending p on p.ord = i.ord left join written w on w.key = i.key
    left join lateral (
      select kind from billing.entry where p.key is not null and key = i.key and phase = 1 and key between $3 and $4 limit 1
    ) e on true
  where coalesce(w.kind, e.kind) is distinct from i.kind`;

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
    // Each pass after the first decides at least the first open item of every account, so this ends. One pass is the
    // rule: what the rest of a balance cannot cover is not asked again.
    for (let pass = 0; open.length > 0 && pass <= items.length + 1; pass++) {
      open = await this.reserveOpen(items, open, states, pass === 0);
    }
    if (open.length > 0) throw new Error('a reservation was neither made nor refused');
    return states;
  }

  /** Resolves reservations; for each the kind it is resolved with (now or before), or null where the key is unknown. */
  async settle(items: readonly Resolution[]): Promise<('post' | 'void' | null)[]> {
    if (items.length === 0) return [];
    const kinds = await this.settleGroup(items);
    // A resolution that another transaction wrote while this one waited for its locks is visible to the next statement.
    const raced = kinds.flatMap((kind, index) => (kind === 'raced' ? [index] : []));
    if (raced.length > 0) {
      const found = await this.settleGroup(raced.map((index) => items[index]!));
      raced.forEach((index, place) => {
        kinds[index] = found[place] ?? null;
      });
    }
    return kinds.map((kind) => {
      if (kind === 'raced') throw new Error('a reservation was neither resolved nor found resolved');
      return kind;
    });
  }

  /** One pass over the open items; returns those that another pass may decide otherwise. */
  private async reserveOpen(
    items: readonly Reservation[],
    open: readonly number[],
    states: Reserved[],
    isFirst: boolean,
  ): Promise<number[]> {
    for (const index of open) states[index] = { state: 'reserved', amountMicros: items[index]!.amountMicros };
    const again: number[] = [];
    for (const row of await this.reserveGroup(open.map((index) => items[index]!))) {
      const index = open[Number(row.ord) - 1]!;
      if (row.state === 'raced') again.push(index);
      else if (row.state === 'reserved') states[index] = { state: 'reserved', amountMicros: Number(row.amount) };
      else states[index] = { state: row.state };
      if (!REFUSED.has(row.state)) continue;
      // Refused for what stands before it, it may fit into what is left; or its own key was reserved meanwhile.
      const fits = Number(row.places) > 0 && BigInt(items[index]!.amountMicros) <= BigInt(row.remaining ?? 0);
      if (fits || (isFirst && row.waited)) again.push(index);
    }
    return again.sort((a, b) => a - b);
  }

  private async reserveGroup(items: readonly Reservation[]): Promise<ReserveRow[]> {
    const keys = items.map((item) => item.key.id);
    const { rows } = await this.db.query<ReserveRow>({
      name: 'billing-reserve',
      text: RESERVE,
      values: [
        keys,
        items.map((item) => item.key.prefix),
        items.map((item) => item.accountId),
        items.map((item) => item.amountMicros),
        REVENUE_ID,
        ...boundsOf(keys),
      ],
    });
    return rows;
  }

  private async settleGroup(items: readonly Resolution[]): Promise<SettleRow['kind'][]> {
    const keys = items.map((item) => item.key);
    const { rows } = await this.db.query<SettleRow>({
      name: 'billing-settle',
      text: SETTLE,
      values: [keys, items.map((item) => item.kind), ...boundsOf(keys)],
    });
    const kinds: SettleRow['kind'][] = items.map(({ kind }) => (kind === 'undo' ? 'void' : kind));
    for (const row of rows) kinds[Number(row.ord) - 1] = row.kind;
    return kinds;
  }
}

/** The smallest and the largest of some UUIDs in lower case. */
function boundsOf(keys: readonly string[]): [string, string] {
  let [least, most] = [keys[0]!, keys[0]!];
  for (const key of keys) {
    if (key < least) least = key;
    if (key > most) most = key;
  }
  return [least, most];
}
