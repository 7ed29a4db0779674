import { z } from 'zod';
import { defineEvent } from '../../../shared/define-event.js';
import { TIERS, UNKNOWN_OUTCOME_POLICIES } from '../../../shared/principal.js';

const account = z.object({ accountSid: z.string() });

/** An account was opened, with its first credentials; it is usable once billing has provisioned it. */
export const accountOpened = defineEvent(
  'accounts.account-opened.v1',
  account.extend({
    friendlyName: z.string(),
    tier: z.enum(TIERS),
    ownerAccountSid: z.string().nullable(),
  }),
);
export const accountActivated = defineEvent('accounts.account-activated.v1', account);
export const accountSuspended = defineEvent('accounts.account-suspended.v1', account);
export const accountReactivated = defineEvent('accounts.account-reactivated.v1', account);
export const accountClosed = defineEvent('accounts.account-closed.v1', account.extend({ reason: z.string() }));
export const tierChanged = defineEvent(
  'accounts.tier-changed.v1',
  account.extend({
    tier: z.enum(TIERS),
    messagesPerMinute: z.int().nullable(),
    messagesPerDay: z.int().nullable(),
    /** Absent in events of before there was such a figure. */
    messagesPerSecond: z.int().nullable().optional(),
    unknownOutcome: z.enum(UNKNOWN_OUTCOME_POLICIES),
  }),
);
export const phoneNumberAssigned = defineEvent(
  'accounts.phone-number-assigned.v1',
  account.extend({ phoneNumber: z.string() }),
);
/** What its customer set for a number changed: its name, or who is asked about incoming messages. */
export const phoneNumberChanged = defineEvent(
  'accounts.phone-number-changed.v1',
  account.extend({ phoneNumber: z.string() }),
);
export const keyCreated = defineEvent('accounts.key-created.v1', account.extend({ keySid: z.string() }));
export const keyRevoked = defineEvent('accounts.key-revoked.v1', account.extend({ keySid: z.string() }));
export const tokenRotated = defineEvent('accounts.token-rotated.v1', account);

export const ACCOUNTS_EVENTS = [
  accountOpened,
  accountActivated,
  accountSuspended,
  accountReactivated,
  accountClosed,
  tierChanged,
  phoneNumberAssigned,
  phoneNumberChanged,
  keyCreated,
  keyRevoked,
  tokenRotated,
];
