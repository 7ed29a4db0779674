/** The currency of every ledger account and rate. */
export const CURRENCY = 'USD';

/** Ledger accounts that are the operator's: where charges go, and where credits come from. */
export const REVENUE_ID = '00000000-0000-7000-8000-000000000001';
export const FUNDING_ID = '00000000-0000-7000-8000-000000000002';

/** What can be taken with a new reservation, in micro-units. */
export function availableOf(account: { balanceMicros: bigint; reservedMicros: bigint; limitMicros: bigint }): bigint {
  return account.balanceMicros - account.reservedMicros - account.limitMicros;
}
