import { z } from 'zod';
import { defineEvent } from '../../../shared/define-event.js';

/** The account's ledger is open: it can be credited and charged. */
export const accountProvisioned = defineEvent(
  'billing.account-provisioned.v1',
  z.object({ accountSid: z.string(), currency: z.string() }),
);
/** Money was added to an account, in micro-units (10⁻⁶) of its currency. */
export const accountCredited = defineEvent(
  'billing.account-credited.v1',
  z.object({ accountSid: z.string(), amountMicros: z.int(), currency: z.string() }),
);
/**
 * The price of a segment to a prefix was set or, with a null price, taken away; for one account, or in general (null).
 * In micro-units (10⁻⁶) of the currency.
 */
export const rateChanged = defineEvent(
  'billing.rate-changed.v1',
  z.object({
    rateId: z.string(),
    accountSid: z.string().nullable(),
    prefix: z.string(),
    priceMicros: z.int().nullable(),
    currency: z.string(),
  }),
);

export const BILLING_EVENTS = [accountProvisioned, accountCredited, rateChanged];
