import { z } from 'zod';

/** Amounts are integers in micro-units (10⁻⁶) of the currency; a safe integer reaches nine billion units. */
export const microsSchema = z.int();

export const reserveItem = z.object({
  /** SID of what is paid for: the reservation's key, for ever. */
  key: z.string(),
  accountSid: z.string(),
  /** Destination in E.164: its longest matching prefix gives the rate. */
  to: z.string(),
  segments: z.int().min(1).max(255),
});
export type ReserveItem = z.infer<typeof reserveItem>;
export const reserveInput = z.array(reserveItem).max(1000);

/**
 * `reserved`: now or before, at this amount. `quota_exhausted`: the account has had as many messages this day (UTC) as
 * it may. `queue_full`: as many of its reservations are open as may be. `already_resolved`: posted or voided before, or the key is another
 * account's. `invalid_key`: not the SID of something made in the last days (see KEY_PAST_MS).
 */
export const reserveResult = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('reserved'), amountMicros: microsSchema, currency: z.string() }),
  z.object({
    outcome: z.enum([
      'insufficient_balance',
      'quota_exhausted',
      'queue_full',
      'no_rate',
      'no_ledger',
      'already_resolved',
      'invalid_key',
    ]),
  }),
]);
export type ReserveResult = z.infer<typeof reserveResult>;
export const reserveOutput = z.array(reserveResult);

/** A key may be reserved from six days after it was made to a day before, by this process's clock. */
export const KEY_PAST_MS = 6 * 24 * 3600 * 1000;
export const KEY_FUTURE_MS = 24 * 3600 * 1000;

/**
 * `undo`: what was reserved for never came to be; as `void`, and it does not count for the day's quota. What came to be
 * and failed later is voided, and counts.
 */
export const settleItem = z.object({ key: z.string(), outcome: z.enum(['post', 'void', 'undo']) });
export type SettleItem = z.infer<typeof settleItem>;
export const settleInput = z.array(settleItem).max(1000);
/** `settled`: now or before, with this outcome (`void` and `undo` are one here). `contradicted`: before, with the other. `unknown`: no such key. */
export const settleOutput = z.array(z.enum(['settled', 'contradicted', 'unknown']));
export type SettleResult = z.infer<typeof settleOutput>[number];

export const quoteInput = z.object({ accountSid: z.string(), to: z.string(), segments: z.int().min(1).max(255) });
export const quoteOutput = z.object({ amountMicros: microsSchema, currency: z.string() }).nullable();

/** A range of reservation keys by the instant in them: `from` inclusive, `to` exclusive, ISO instants. */
export const keyRange = z.object({ from: z.iso.datetime(), to: z.iso.datetime() });
export type KeyRange = z.infer<typeof keyRange>;

export const MAX_BUCKETS = 10_000;
/** A range that is cut into buckets of `bucketMs`, from `from` on: at most MAX_BUCKETS of them. */
export const digestInput = keyRange.extend({ bucketMs: z.int().min(1) });
export type DigestInput = z.infer<typeof digestInput>;

/**
 * What one class of keys adds up to. `hash` is the exclusive-or of PostgreSQL's `hashtextextended(key::text, 0)` over
 * the keys as lower-case UUIDs, in decimal; 0 for none.
 */
export const digestLine = z.object({ count: z.int(), sumMicros: microsSchema, hash: z.string() });
export type DigestLine = z.infer<typeof digestLine>;
/** The reservations of one bucket by state; `from` is the bucket's first instant. */
export const chargeDigest = z.object({
  from: z.iso.datetime(),
  pending: digestLine,
  posted: digestLine,
  voided: digestLine,
});
export type ChargeDigest = z.infer<typeof chargeDigest>;
export const digestOutput = z.array(chargeDigest).max(MAX_BUCKETS);

export const chargeRow = z.object({
  key: z.string(),
  accountSid: z.string(),
  state: z.enum(['pending', 'posted', 'voided']),
  amountMicros: microsSchema,
  changedAt: z.iso.datetime(),
});
export type ChargeRow = z.infer<typeof chargeRow>;

export const listChargesInput = keyRange.extend({
  /** Key of the last charge of the page before; null for the first page. */
  after: z.string().nullable(),
  limit: z.int().min(1).max(1000),
  state: z.enum(['pending', 'any']),
});
export type ListChargesInput = z.infer<typeof listChargesInput>;
export const listChargesOutput = z.array(chargeRow);

export const ledgerCheck = z.object({
  entries: z.int(),
  /** Sum of all balances: zero. */
  sumMicros: z.string(),
  /**
   * What does not hold, the first hundred of each kind: ledger accounts (an account SID, `revenue` or `funding`) whose
   * balance, reserved sum, open reservations, quota or usage are not the projection of their entries, or that lie below their limit; resolutions (by
   * their key) that fit no reservation; the sum, where it is not zero (`ledger`).
   */
  violations: z.array(z.object({ account: z.string(), detail: z.string() })),
});
export type LedgerCheck = z.infer<typeof ledgerCheck>;

/**
 * What billing offers: prices, two-phase charges on a double-entry ledger, balances. A charge is known by the key its
 * caller gave it; every call may be repeated and has its effect once. Money is reserved before it is spent; an
 * overdraft is refused at the reservation; billing never lets a reservation lapse by itself.
 */
export abstract class BillingApi {
  /** Reserves the price of each item, and its place in the quota of the day. Answers stand in the order of the items; one bad item fails alone. */
  abstract reserve(items: readonly ReserveItem[]): Promise<ReserveResult[]>;

  /** Resolves reservations, each once: `post` charges it, `void` and `undo` give it back. */
  abstract settle(items: readonly SettleItem[]): Promise<SettleResult[]>;

  /** What a message would cost; null where there is no rate to that destination. Nothing is reserved. */
  abstract quote(input: z.infer<typeof quoteInput>): Promise<z.infer<typeof quoteOutput>>;

  /**
   * Counts, sums and hashes of the reservations whose keys lie in a range, by state, cut into buckets by the instant
   * in the key. In order; a bucket without reservations is left out. One snapshot.
   *
   * @throws Failure `invalid_parameter` when the range has more than MAX_BUCKETS buckets
   */
  abstract digest(input: DigestInput): Promise<ChargeDigest[]>;

  /** The reservations whose keys lie in a range, in the order of their keys, from after one. */
  abstract listCharges(input: ListChargesInput): Promise<ChargeRow[]>;

  /** Checks every balance against the entries it projects, and that they sum to zero. One snapshot. */
  abstract checkLedger(): Promise<LedgerCheck>;
}

/** The schemas of each call's argument and result: what is checked where the contract crosses a network. */
export const billingContract = {
  reserve: { input: reserveInput, output: reserveOutput },
  settle: { input: settleInput, output: settleOutput },
  quote: { input: quoteInput, output: quoteOutput },
  digest: { input: digestInput, output: digestOutput },
  listCharges: { input: listChargesInput, output: listChargesOutput },
  checkLedger: { input: z.void(), output: ledgerCheck },
} satisfies Record<keyof BillingApi, { input: z.ZodType; output: z.ZodType }>;
