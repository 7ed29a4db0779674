import type { Limit } from '../../platform/limits/limiter.js';
import type { Principal, Tier } from '../../shared/principal.js';

const SECONDS_PER_MINUTE = 60;

/** Messages created in any minute, and in any second. */
const PER_MINUTE: Readonly<Record<Tier, number>> = { free: 100, pro: 10_000, enterprise: 100_000 };
const PER_SECOND: Readonly<Record<Tier, number>> = { free: 100, pro: 1_000, enterprise: 5_000 };

const minute = (max: number): Limit => ({ windowMs: 60_000, buckets: 120, max });
const second = (max: number): Limit => ({ windowMs: 1_000, buckets: 100, max });

type Figures = Pick<Principal, 'tier' | 'messagesPerMinute' | 'messagesPerSecond'>;

/**
 * How many messages an account may create: its own figures, or those of its tier. Where its own figure of the minute
 * could not be reached with the tier's second, and it has none of its own, a second holds a sixtieth of the minute.
 */
export function messageLimits({ tier, messagesPerMinute, messagesPerSecond }: Figures): readonly Limit[] {
  const perMinute = messagesPerMinute ?? PER_MINUTE[tier];
  const needed = Math.ceil(perMinute / SECONDS_PER_MINUTE);
  return [minute(perMinute), second(messagesPerSecond ?? Math.max(PER_SECOND[tier], needed))];
}

/** Any other requests of one account, whatever its tier. */
export const REQUEST_LIMITS: readonly Limit[] = [second(1_000)];

/** Failed authentications from one address. */
export const FAILURE_LIMITS: readonly Limit[] = [minute(600), second(60)];
