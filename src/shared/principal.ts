import { z } from 'zod';

export const TIERS = ['free', 'pro', 'enterprise'] as const;
export type Tier = (typeof TIERS)[number];

export const ACCOUNT_STATUSES = ['provisioning', 'active', 'suspended', 'closed'] as const;

/** What happens to a message whose carrier's answer was lost: send it again (it may arrive twice), or fail it. */
export const UNKNOWN_OUTCOME_POLICIES = ['retry', 'fail'] as const;
export type UnknownOutcomePolicy = (typeof UNKNOWN_OUTCOME_POLICIES)[number];

/** Who a request acts for: an authenticated account with what every decision about it needs. */
export const principalSchema = z.object({
  accountSid: z.string(),
  status: z.enum(ACCOUNT_STATUSES),
  tier: z.enum(TIERS),
  credential: z.enum(['auth_token', 'api_key']),
  messagesPerMinute: z.int().nullable(),
  /** Null: derived, see message-limits.ts of the edge. */
  messagesPerSecond: z.int().nullable(),
  messagesPerDay: z.int().nullable(),
  unknownOutcome: z.enum(UNKNOWN_OUTCOME_POLICIES),
});

export type Principal = z.infer<typeof principalSchema>;
