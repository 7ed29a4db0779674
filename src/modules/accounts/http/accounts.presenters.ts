import { sidOf } from '../../../shared/sid.js';
import type { NewKey } from '../application/create-key.js';
import type { Account } from '../contract/accounts.api.js';

/** An account as operators see it. */
export function presentAccount(account: Account) {
  return {
    sid: account.sid,
    friendly_name: account.friendlyName,
    tier: account.tier,
    status: account.status,
    close_reason: account.closeReason,
    owner_account_sid: account.ownerAccountSid,
    messages_per_minute: account.messagesPerMinute,
    messages_per_second: account.messagesPerSecond,
    messages_per_day: account.messagesPerDay,
    unknown_outcome: account.unknownOutcome,
    created_at: account.createdAt,
    updated_at: account.updatedAt,
  };
}

/** A phone number of an account. */
export function presentNumber(number: { id: string; phoneNumber: string; createdAt: Date }) {
  return {
    sid: sidOf('PN', number.id),
    phone_number: number.phoneNumber,
    created_at: number.createdAt.toISOString(),
  };
}

/** An API key of an account, without its secret. */
export function presentKey(key: { id: string; friendlyName: string; createdAt: Date; revokedAt: Date | null }) {
  return {
    sid: sidOf('SK', key.id),
    friendly_name: key.friendlyName,
    created_at: key.createdAt.toISOString(),
    revoked_at: key.revokedAt?.toISOString() ?? null,
  };
}

/** A new API key, with the secret that is shown once. */
export function presentNewKey(key: NewKey) {
  return {
    sid: key.sid,
    friendly_name: key.friendlyName,
    created_at: key.createdAt.toISOString(),
    revoked_at: null,
    secret: key.secret,
  };
}
