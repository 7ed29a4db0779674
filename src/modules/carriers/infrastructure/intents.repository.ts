import { Injectable } from '@nestjs/common';
import type { Intended } from '../domain/submission.js';
import { BindsLost, type HeldLease, LEASE_GUARD, STEADY } from './binds-lease.repository.js';
import { CarriersDatabase } from './carriers.storage.js';

/** The keys of a group that have no answer yet. */
export interface LeftIntent {
  readonly id: string;
  readonly items: readonly Intended[];
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

/**
 * What is answered is looked up by the parameter and not by a join: a statement that waits for a row, as this does for the
 * lease, and prunes partitions row by row may miss rows or break its server in PostgreSQL 18.4.
 */
const INTEND = `with ${LEASE_GUARD}, ${STEADY}, answered as materialized (
    select key from carriers.submission where key = any($4::uuid[])
  ), item as (
    select i.* from unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::boolean[], $9::smallint[])
      with ordinality as i(key, account_id, carrier, destination, retry_unknown, segments, ord)
    where i.key not in (select key from answered)
      and not exists (select from carriers.withdrawn w where w.key = i.key)
  ), written as (
    insert into carriers.intent (id, epoch, keys, account_ids, carriers, destinations, retry_unknown, segments)
    select $3::uuid, $2, array_agg(key order by ord), array_agg(account_id order by ord), array_agg(carrier order by ord),
      array_agg(destination order by ord), array_agg(retry_unknown order by ord), array_agg(segments order by ord)
    from item where exists (select from steady) having count(*) > 0 returning keys
  )
  select (select count(*) from guard)::int as held, (select count(*) from steady)::int as steady,
    (select keys from written) as keys`;

/** Each repetition needs another withdrawal that was committed within the one before. */
const MAX_ATTEMPTS = 50;

const LEFT = `select i.id, k.key, k.account_id, k.carrier, k.destination, k.retry_unknown, k.segments
  from (select * from carriers.intent where epoch < $1 and id > $2 order by id limit $3) i
  left join lateral (
    select * from unnest(i.keys, i.account_ids, i.carriers, i.destinations, i.retry_unknown, i.segments)
      as u(key, account_id, carrier, destination, retry_unknown, segments)
    where u.key <> all (i.returned) and not exists (select from carriers.submission s where s.key = u.key)
  ) k on true order by i.id`;

/** The keys that carriers were, or were about to be, given: written before the first byte of any of them leaves. */
@Injectable()
export class IntentsRepository {
  constructor(private readonly db: CarriersDatabase) {}

  /**
   * Makes keys durable before anything of theirs leaves. Returns those that are new; the others have their answer, or
   * are withdrawn.
   *
   * @throws BindsLost
   */
  async intend(lease: HeldLease, id: string, items: readonly Intended[]): Promise<Set<string>> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const written = await this.tryToIntend(lease, id, items);
      if (written) return written;
    }
    throw new Error('too much is being withdrawn');
  }

  /** The intents that earlier owners left open, by their ids, from after one. */
  async left(lease: HeldLease, after: string, limit: number): Promise<LeftIntent[]> {
    const { rows } = await this.db.query<LeftRow>(LEFT, [lease.epoch, after, limit]);
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

  /** Removes intents of which nothing is left. */
  async close(lease: HeldLease, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.db.query(
      `with ${LEASE_GUARD} delete from carriers.intent where id = any($3::uuid[]) and exists (select from guard)`,
      [lease.owner, lease.epoch, ids],
    );
  }

  /** Null where something was withdrawn meanwhile that the statement cannot have seen: nothing was written. */
  private async tryToIntend(lease: HeldLease, id: string, items: readonly Intended[]): Promise<Set<string> | null> {
    const { rows } = await this.db.query<{ held: number; steady: number; keys: string[] | null }>({
      name: 'carriers-intend',
      text: INTEND,
      values: [
        lease.owner,
        lease.epoch,
        id,
        items.map((item) => item.key),
        items.map((item) => item.accountId),
        items.map((item) => item.carrier),
        items.map((item) => item.destination),
        items.map((item) => item.retryUnknown),
        items.map((item) => item.segments),
      ],
    });
    const { held, steady, keys } = rows[0]!;
    if (held !== 1) throw new BindsLost();
    return steady === 1 ? new Set(keys ?? []) : null;
  }
}
