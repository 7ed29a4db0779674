const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Waits before the second and each later attempt; after the last attempt a delivery is dead. */
export const RETRY_WAITS_MS: readonly number[] = [
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  24 * HOUR_MS,
];
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;

/** The waits between attempts; tests scale them. */
export class RetrySchedule {
  constructor(private readonly waitsMs: readonly number[] = RETRY_WAITS_MS) {}

  /** The wait before the second attempt, without its jitter. */
  get firstWaitMs(): number {
    return this.waitsMs[0] ?? MINUTE_MS;
  }

  /**
   * How long to wait after a failed attempt; null when it was the last.
   *
   * @param attempts attempts made so far, 1 or more
   * @param random from 0 to below 1: the jitter adds 10 to 20 %
   * @param retryAfterMs what the receiver asked for, where it did; never shortens the wait
   */
  waitMs(attempts: number, random: number, retryAfterMs: number | null): number | null {
    const base = this.waitsMs[attempts - 1];
    if (base === undefined) return null;
    const jittered = base * (1.1 + random / 10);
    return Math.max(jittered, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
  }
}

/** What a Retry-After header asks for: seconds or a date (RFC 9110, 10.2.3); null where it is neither. */
export function retryAfterMs(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  if (/^\d{1,7}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
