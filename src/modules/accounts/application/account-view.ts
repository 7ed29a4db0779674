import { sidOf } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import type { AccountState } from '../domain/account.js';

/** An account as the contract shows it. */
export function accountView(state: AccountState): Account {
  return {
    sid: sidOf('AC', state.id),
    friendlyName: state.friendlyName,
    tier: state.tier,
    status: state.status,
    closeReason: state.closeReason,
    ownerAccountSid: state.ownerId && sidOf('AC', state.ownerId),
    messagesPerMinute: state.messagesPerMinute,
    messagesPerSecond: state.messagesPerSecond,
    messagesPerDay: state.messagesPerDay,
    unknownOutcome: state.unknownOutcome,
    createdAt: state.createdAt.toISOString(),
    updatedAt: state.updatedAt.toISOString(),
  };
}
