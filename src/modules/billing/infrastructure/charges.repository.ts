import { Injectable } from '@nestjs/common';
import { BillingDatabase } from './billing.storage.js';

/** Ids from `fromId`, inclusive, to `toId`, exclusive; their instants are counted from `fromMs`. */
export interface IdRange {
  readonly fromId: string;
  readonly toId: string;
}

export interface ChargeLine {
  readonly count: number;
  readonly sumMicros: number;
  readonly hash: string;
}

export interface ChargeBucket {
  /** Which bucket of the range, from 0. */
  readonly index: number;
  readonly pending: ChargeLine;
  readonly posted: ChargeLine;
  readonly voided: ChargeLine;
}

export interface Charge {
  readonly keyPrefix: string;
  readonly keyId: string;
  readonly accountId: string;
  readonly state: 'pending' | 'posted' | 'voided';
  readonly amountMicros: number;
  readonly changedAt: Date;
}

type BucketRow = Record<'bucket' | `${'pending' | 'posted' | 'voided'}_${'count' | 'sum' | 'hash'}`, string>;

interface ChargeRow {
  key: string;
  key_prefix: string;
  debit_id: string;
  amount_micros: string;
  kind: 'pending' | 'post' | 'void';
  changed_at: Date;
}

/**
 * One scan, no grouping by key: a reservation has a pending row, and a row more once it is resolved. What is pending is
 * therefore the pending rows less the others; in the exclusive-or a resolved key's two hashes cancel out.
 */
const DIGEST = `select bucket,
    count(*) filter (where kind = 'pending') - count(*) filter (where kind <> 'pending') as pending_count,
    sum(case kind when 'pending' then amount_micros else -amount_micros end) as pending_sum,
    bit_xor(hash) as pending_hash,
    count(*) filter (where kind = 'post') as posted_count,
    coalesce(sum(amount_micros) filter (where kind = 'post'), 0) as posted_sum,
    coalesce(bit_xor(hash) filter (where kind = 'post'), 0) as posted_hash,
    count(*) filter (where kind = 'void') as voided_count,
    coalesce(sum(amount_micros) filter (where kind = 'void'), 0) as voided_sum,
    coalesce(bit_xor(hash) filter (where kind = 'void'), 0) as voided_hash
  from (
    select kind, amount_micros, hashtextextended(key::text, 0) as hash,
      (('x' || translate(left(key::text, 13), '-', ''))::bit(48)::bigint - $3::bigint) / $4::bigint as bucket
    from billing.entry where key >= $1 and key < $2 and kind <> 'credit'
  ) e group by bucket order by bucket`;

const LIST = `select p.key, p.key_prefix, p.debit_id, p.amount_micros, coalesce(r.kind, p.kind) as kind,
    coalesce(r.created_at, p.created_at) as changed_at
  from billing.entry p left join billing.entry r on r.key = p.key and r.phase = 1 and r.key >= $1 and r.key < $2
  where p.phase = 0 and p.key >= $1 and p.key < $2 and ($3::uuid is null or p.key > $3) and (r.key is null or not $4)
  order by p.key limit $5`;

const STATES = { pending: 'pending', post: 'posted', void: 'voided' } as const;

/** Reservations by the instant in their keys, for whoever checks them against what they pay for. */
@Injectable()
export class ChargesRepository {
  constructor(private readonly db: BillingDatabase) {}

  /** The sums of a range, cut into buckets of `bucketMs` from `fromMs` on; empty ones are left out. */
  async digest(range: IdRange, fromMs: number, bucketMs: number): Promise<ChargeBucket[]> {
    const values = [range.fromId, range.toId, fromMs, bucketMs];
    const { rows } = await this.db.survey((tx) => tx.query<BucketRow>(DIGEST, values));
    return rows.map((row) => ({
      index: Number(row.bucket),
      pending: { count: Number(row.pending_count), sumMicros: safe(row.pending_sum), hash: row.pending_hash },
      posted: { count: Number(row.posted_count), sumMicros: safe(row.posted_sum), hash: row.posted_hash },
      voided: { count: Number(row.voided_count), sumMicros: safe(row.voided_sum), hash: row.voided_hash },
    }));
  }

  /** The reservations of a range in the order of their keys, from after one, at most `limit`. */
  async list(range: IdRange, afterId: string | null, limit: number, pendingOnly: boolean): Promise<Charge[]> {
    const values = [range.fromId, range.toId, afterId, pendingOnly, limit];
    const { rows } = await this.db.control.query<ChargeRow>({ name: 'billing-charges', text: LIST, values });
    return rows.map((row) => ({
      keyPrefix: row.key_prefix,
      keyId: row.key,
      accountId: row.debit_id,
      state: STATES[row.kind],
      amountMicros: safe(row.amount_micros),
      changedAt: row.changed_at,
    }));
  }
}

function safe(micros: string): number {
  const value = Number(micros);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${micros} micro-units are beyond safe integers`);
  return value;
}
