import { z } from 'zod';
import { type AmountRefusal, parseAmount } from '../../../shared/money.js';

const MICROS_PER_UNIT = 1_000_000n;
const MAX_CREDIT_UNITS = 100_000_000n;
const MAX_PRICE_UNITS = 1_000n;
const MAX_TEXT_LENGTH = 200;
const MAX_AMOUNT_LENGTH = 40;

const REFUSALS: Record<AmountRefusal, string> = {
  not_a_number: 'must be a decimal number in a string, such as "100.00"',
  negative: 'must not be negative',
  too_many_decimals: 'must have at most six decimals',
  out_of_range: 'is too large',
};

/** An amount of currency units in a string, as micro-units. */
function amount(minMicros: bigint, maxUnits: bigint) {
  return z
    .string()
    .max(MAX_AMOUNT_LENGTH)
    .transform((text, context) => {
      const parsed = parseAmount(text);
      if (!parsed.ok) context.addIssue({ code: 'custom', message: REFUSALS[parsed.reason] });
      else if (parsed.micros < minMicros) context.addIssue({ code: 'custom', message: 'must be at least 0.000001' });
      else if (parsed.micros > maxUnits * MICROS_PER_UNIT) {
        context.addIssue({ code: 'custom', message: `must be at most ${maxUnits}` });
      } else return parsed.micros;
      return z.NEVER;
    });
}

export const creditBody = z.strictObject({
  amount: amount(1n, MAX_CREDIT_UNITS),
  /** Chosen by the caller; the same key credits once. */
  key: z.string().min(1).max(MAX_TEXT_LENGTH),
  reason: z.string().max(MAX_TEXT_LENGTH).default(''),
});

export const setRateBody = z.strictObject({
  prefix: z.string().regex(/^(\+[1-9]\d{0,14})?$/, 'must be + and 1 to 15 digits, or empty for everywhere'),
  price: amount(0n, MAX_PRICE_UNITS),
  /** Absent: everybody's price. */
  account_sid: z.string().max(MAX_TEXT_LENGTH).nullable().default(null),
});
