import { formatAmount } from '../../../shared/money.js';
import { sidOf } from '../../../shared/sid.js';
import { availableOf, type Balance, type Credit, CURRENCY, usedToday } from '../domain/ledger.js';
import { GENERAL, type StoredRate } from '../domain/rates.js';

/**
 * A balance as Twilio's API writes it. `balance` is the posted one, as on the native API: what is reserved for messages
 * on their way leaves it when they are charged.
 */
export function presentTwilioBalance(accountSid: string, balance: Balance) {
  return { account_sid: accountSid, balance: formatAmount(balance.balanceMicros), currency: balance.currency };
}

/**
 * A balance with what is reserved of it, and what new messages can take; how many messages of the present day (UTC)
 * were accepted and how many may be (null: any number), and how many are on their way.
 */
export function presentBalance(balance: Balance, nowMs: number) {
  return {
    balance: formatAmount(balance.balanceMicros),
    reserved: formatAmount(balance.reservedMicros),
    available: formatAmount(availableOf(balance)),
    currency: balance.currency,
    messages_today: usedToday(balance, nowMs),
    messages_per_day: balance.quotaLimit,
    messages_outstanding: Number(balance.reservedCount),
  };
}

/** What was added to an account. */
export function presentCredit(credit: Credit) {
  return {
    account_sid: sidOf('AC', credit.accountId),
    key: credit.key,
    amount: formatAmount(credit.amountMicros),
    currency: CURRENCY,
    reason: credit.reason,
    created_at: credit.createdAt.toISOString(),
  };
}

/** A rate; `account_sid` is null for everybody's. */
export function presentRate(rate: StoredRate) {
  return {
    id: rate.id,
    prefix: rate.prefix,
    price: formatAmount(BigInt(rate.priceMicros)),
    currency: rate.currency,
    account_sid: rate.accountId === GENERAL ? null : sidOf('AC', rate.accountId),
    created_at: rate.createdAt.toISOString(),
    updated_at: rate.updatedAt.toISOString(),
  };
}
