import type { Tier } from '../../../shared/principal.js';

/** How many messages an account of a tier may have accepted on one day of UTC; null: any number. */
const PER_DAY: Readonly<Record<Tier, number | null>> = { free: 100, pro: 10_000, enterprise: null };

/** The daily quota of an account: its own, or that of its tier. Null: none. */
export function quotaOf(tier: Tier, messagesPerDay: number | null): number | null {
  return messagesPerDay ?? PER_DAY[tier];
}
