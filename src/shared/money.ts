/**
 * Money in micro-units (10⁻⁶ of a currency unit) as bigint: prices per segment have more decimals than a currency has,
 * and sums must be exact. Values fit PostgreSQL's bigint.
 */
export type Micros = bigint;

const DECIMALS = 6;
const MICROS_PER_UNIT = 10n ** BigInt(DECIMALS);
const MAX_MICROS = 2n ** 63n - 1n;
const MIN_MICROS = -(2n ** 63n);
/** Digits before the point of MAX_MICROS; more need not be read. */
const MAX_WHOLE_DIGITS = 13;
/** Twilio's message prices have five decimals, "-0.00750". */
const PRICE_MIN_DECIMALS = 5;

const AMOUNT = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/;

export type AmountRefusal = 'not_a_number' | 'negative' | 'too_many_decimals' | 'out_of_range';

export type ParsedAmount =
  | { readonly ok: true; readonly micros: Micros }
  | { readonly ok: false; readonly reason: AmountRefusal };

/**
 * Reads an amount of currency units such as "100.00" into micro-units. Plain decimal notation only: no exponent, plus
 * sign, spaces, separators or superfluous zeros in front, at most six decimals, a minus sign only where allowed.
 */
export function parseAmount(text: string, options: { readonly allowNegative?: boolean } = {}): ParsedAmount {
  const match = AMOUNT.exec(text);
  if (match === null) return { ok: false, reason: 'not_a_number' };
  const [, sign = '', whole = '', fraction = ''] = match;
  if (sign === '-' && !options.allowNegative) return { ok: false, reason: 'negative' };
  if (fraction.length > DECIMALS) return { ok: false, reason: 'too_many_decimals' };
  if (whole.length > MAX_WHOLE_DIGITS) return { ok: false, reason: 'out_of_range' };
  const micros = BigInt(sign + whole + fraction.padEnd(DECIMALS, '0'));
  return isInRange(micros) ? { ok: true, micros } : { ok: false, reason: 'out_of_range' };
}

/**
 * Writes micro-units as currency units without loss: as many decimals as needed, at least `minDecimals` (0 to 6, by
 * default 2).
 */
export function formatAmount(micros: Micros, options: { readonly minDecimals?: number } = {}): string {
  const minDecimals = options.minDecimals ?? 2;
  if (!Number.isInteger(minDecimals) || minDecimals < 0 || minDecimals > DECIMALS) {
    throw new RangeError(`minDecimals must be an integer from 0 to ${DECIMALS}, got ${minDecimals}`);
  }
  const absolute = micros < 0n ? -micros : micros;
  let fraction = (absolute % MICROS_PER_UNIT).toString().padStart(DECIMALS, '0');
  while (fraction.length > minDecimals && fraction.endsWith('0')) fraction = fraction.slice(0, -1);
  const whole = `${micros < 0n ? '-' : ''}${absolute / MICROS_PER_UNIT}`;
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/**
 * What was charged for a message, in micro-units, as Twilio's `price` field: negative, at least five decimals
 * ("-0.00750"); null stays null.
 */
export function formatPrice(micros: Micros): string;
export function formatPrice(micros: Micros | null): string | null;
export function formatPrice(micros: Micros | null): string | null {
  return micros === null ? null : formatAmount(-micros, { minDecimals: PRICE_MIN_DECIMALS });
}

/** A unit price times a count (an integer from 0). Throws RangeError for another count, or a result beyond bigint's. */
export function multiply(price: Micros, count: number): Micros {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`count must be an integer from 0, got ${count}`);
  const product = price * BigInt(count);
  if (!isInRange(product)) throw new RangeError(`${price} micro-units times ${count} exceeds 64 bits`);
  return product;
}

function isInRange(micros: Micros): boolean {
  return micros >= MIN_MICROS && micros <= MAX_MICROS;
}
