/** The currency of every ledger account and rate. */
export const CURRENCY = 'USD';

/** Ledger accounts that are the operator's: where charges go, and where credits come from. */
export const REVENUE_ID = '00000000-0000-7000-8000-000000000001';
export const FUNDING_ID = '00000000-0000-7000-8000-000000000002';

const DAY_MS = 24 * 3600 * 1000;

/** What an account has: micro-units of its currency. */
export interface Balance {
  readonly currency: string;
  /** What was credited less what was charged. */
  readonly balanceMicros: bigint;
  /** What is set aside for messages on their way. */
  readonly reservedMicros: bigint;
  /** What must be left of the balance when the reserved is taken off. */
  readonly limitMicros: bigint;
  /** How many messages are on their way. */
  readonly reservedCount: bigint;
  /** How many messages were accepted on quotaDay (a day of UTC; null: none yet) and how many may be; null: any. */
  readonly quotaDay: Date | null;
  readonly quotaUsed: number;
  readonly quotaLimit: number | null;
}

/** Money that an operator added to an account. */
export interface Credit {
  readonly accountId: string;
  readonly key: string;
  readonly entryKey: string;
  readonly amountMicros: bigint;
  readonly reason: string;
  readonly createdAt: Date;
}

/** What can be taken with a new reservation, in micro-units. */
export function availableOf(account: Balance): bigint {
  return account.balanceMicros - account.reservedMicros - account.limitMicros;
}

/** How many messages count for the quota of the day (UTC) that an instant, in milliseconds, lies in. */
export function usedToday({ quotaDay, quotaUsed }: Balance, nowMs: number): number {
  return quotaDay !== null && quotaDay.getTime() + DAY_MS > nowMs ? quotaUsed : 0;
}
