import { z } from 'zod';
import { TIERS, UNKNOWN_OUTCOME_POLICIES } from '../../../shared/principal.js';

const MAX_NAME_LENGTH = 64;
const MAX_PER_MINUTE = 10_000_000;
const MAX_PER_SECOND = 1_000_000;
const MAX_PER_DAY = 1_000_000_000;

const friendlyName = z.string().trim().min(1).max(MAX_NAME_LENGTH);

export const openAccountBody = z.strictObject({
  friendly_name: friendlyName,
  tier: z.enum(TIERS),
  owner_account_sid: z.string().max(MAX_NAME_LENGTH).optional(),
});

export const changeAccountBody = z
  .strictObject({
    tier: z.enum(TIERS).optional(),
    status: z.enum(['active', 'suspended', 'closed']).optional(),
    /** Null: the tier's own. */
    messages_per_minute: z.int().min(1).max(MAX_PER_MINUTE).nullable().optional(),
    /** Null: the tier's own, or as much as messages_per_minute needs. */
    messages_per_second: z.int().min(1).max(MAX_PER_SECOND).nullable().optional(),
    messages_per_day: z.int().min(1).max(MAX_PER_DAY).nullable().optional(),
    unknown_outcome: z.enum(UNKNOWN_OUTCOME_POLICIES).optional(),
  })
  .refine((body) => Object.keys(body).length > 0, { message: 'names nothing to change' });

export const assignNumberBody = z.strictObject({ phone_number: z.string().max(MAX_NAME_LENGTH) });

export const createKeyBody = z.strictObject({ friendly_name: friendlyName.optional() });
