/** The price of one segment to destinations that begin with `prefix` (`+` and digits, or empty for all). */
export interface Rate {
  readonly prefix: string;
  readonly priceMicros: number;
  readonly currency: string;
}

/** In place of an account: the rates that hold for everybody. */
export const GENERAL = '00000000-0000-0000-0000-000000000000';

/** A rate as it is kept; `version` is that of its newest event. */
export interface StoredRate extends Rate {
  readonly id: string;
  /** GENERAL, or the account that alone has the rate. */
  readonly accountId: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** `+` and the 15 digits of E.164. */
const LONGEST_PREFIX = 16;

/** Rates by prefix. */
export type RatesByPrefix = ReadonlyMap<string, Rate>;

export function byPrefix(rates: readonly Rate[]): RatesByPrefix {
  return new Map(rates.map((rate) => [rate.prefix, rate]));
}

/** The rates of one account, looked up by longest prefix. */
export class RateTable {
  /** @param own rates of the account @param general rates for everybody; an own rate goes before one of its prefix */
  constructor(
    private readonly own: RatesByPrefix,
    private readonly general: RatesByPrefix,
  ) {}

  /** The rate of the longest prefix of `to`; null when there is none. */
  find(to: string): Rate | null {
    for (let length = Math.min(to.length, LONGEST_PREFIX); length >= 0; length--) {
      const prefix = to.slice(0, length);
      const rate = this.own.get(prefix) ?? this.general.get(prefix);
      if (rate) return rate;
    }
    return null;
  }
}

/** What a number of segments costs, in micro-units; null when it is no amount (a bad count, or beyond safe integers). */
export function priceOf(rate: Rate, segments: number): number | null {
  const amount = rate.priceMicros * segments;
  return segments >= 1 && Number.isSafeInteger(segments) && Number.isSafeInteger(amount) ? amount : null;
}
