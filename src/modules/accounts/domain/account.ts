import type { EventData, EventDefinition } from '../../../shared/define-event.js';
import { Failure } from '../../../shared/failure.js';
import type { ACCOUNT_STATUSES, Tier, UnknownOutcomePolicy } from '../../../shared/principal.js';
import { sidOf } from '../../../shared/sid.js';
import {
  accountActivated,
  accountClosed,
  accountReactivated,
  accountRenamed,
  accountSuspended,
  tierChanged,
} from '../contract/accounts.events.js';

export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** What an account is; `version` is that of its newest event. */
export interface AccountState {
  readonly id: string;
  readonly friendlyName: string;
  readonly tier: Tier;
  readonly status: AccountStatus;
  readonly closeReason: string | null;
  readonly ownerId: string | null;
  readonly messagesPerMinute: number | null;
  readonly messagesPerSecond: number | null;
  readonly messagesPerDay: number | null;
  readonly unknownOutcome: UnknownOutcomePolicy;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Something that happened to an account. */
export interface Fact {
  readonly type: string;
  readonly data: unknown;
}

/** An account after a decision, with what happened; no facts: nothing changed. */
export interface Decision {
  readonly account: AccountState;
  readonly facts: readonly Fact[];
}

/** What may be changed of an account; what is absent stays. */
export interface AccountPatch {
  readonly friendlyName?: string;
  readonly tier?: Tier;
  readonly status?: 'active' | 'suspended' | 'closed';
  readonly messagesPerMinute?: number | null;
  readonly messagesPerSecond?: number | null;
  readonly messagesPerDay?: number | null;
  readonly unknownOutcome?: UnknownOutcomePolicy;
}

/** A fact of a declared event. */
export function factOf<D extends EventDefinition>(definition: D, data: EventData<D>): Fact {
  return { type: definition.type, data };
}

/** Its ledger is open: a provisioning account becomes active. One that has left provisioning stays what it is. */
export function activate(account: AccountState): Decision {
  if (account.status !== 'provisioning') return { account, facts: [] };
  return {
    account: { ...account, status: 'active' },
    facts: [factOf(accountActivated, { accountSid: sidOf('AC', account.id) })],
  };
}

/** It cannot be provisioned: it is closed. @throws Failure `conflict` when it is in use already */
export function reject(account: AccountState, reason: string): Decision {
  if (account.status === 'closed') return { account, facts: [] };
  if (account.status !== 'provisioning') throw conflict('the account was provisioned already');
  return close(account, reason);
}

/**
 * A change of what somebody may change.
 *
 * @param by who changes it, for the reason of a closing
 * @throws Failure `conflict` when the account's status does not allow it
 */
export function amend(account: AccountState, patch: AccountPatch, by = 'the operator'): Decision {
  const named = rename(account, patch.friendlyName ?? account.friendlyName);
  const limits = amendLimits(named.account, patch);
  const status = changeStatus(limits.account, patch.status ?? account.status, by);
  return { account: status.account, facts: [...named.facts, ...limits.facts, ...status.facts] };
}

/**
 * Its owner was suspended or closed: so is it. Coming back is each one's own, as nobody could tell then which of them had
 * been suspended for a reason of their own.
 *
 * @throws Failure `conflict` while it is being provisioned: it would be active in a moment
 */
export function follow(account: AccountState, status: 'suspended' | 'closed'): Decision {
  if (account.status === 'closed') return { account, facts: [] };
  if (account.status === 'provisioning') throw conflict('an account that it owns is still being provisioned', 'status');
  return changeStatus(account, status, 'the operator, with its owner');
}

function rename(account: AccountState, friendlyName: string): Decision {
  if (friendlyName === account.friendlyName) return { account, facts: [] };
  if (account.status === 'closed') throw conflict('the account is closed');
  return {
    account: { ...account, friendlyName },
    facts: [factOf(accountRenamed, { accountSid: sidOf('AC', account.id), friendlyName })],
  };
}

function amendLimits(account: AccountState, patch: AccountPatch): Decision {
  const next = {
    tier: patch.tier ?? account.tier,
    messagesPerMinute: patch.messagesPerMinute === undefined ? account.messagesPerMinute : patch.messagesPerMinute,
    messagesPerSecond: patch.messagesPerSecond === undefined ? account.messagesPerSecond : patch.messagesPerSecond,
    messagesPerDay: patch.messagesPerDay === undefined ? account.messagesPerDay : patch.messagesPerDay,
    unknownOutcome: patch.unknownOutcome ?? account.unknownOutcome,
  };
  const isSame =
    next.tier === account.tier &&
    next.messagesPerMinute === account.messagesPerMinute &&
    next.messagesPerSecond === account.messagesPerSecond &&
    next.messagesPerDay === account.messagesPerDay &&
    next.unknownOutcome === account.unknownOutcome;
  if (isSame) return { account, facts: [] };
  if (account.status === 'closed') throw conflict('the account is closed');
  return {
    account: { ...account, ...next },
    facts: [factOf(tierChanged, { accountSid: sidOf('AC', account.id), ...next })],
  };
}

function changeStatus(account: AccountState, status: AccountStatus, by: string): Decision {
  if (status === account.status) return { account, facts: [] };
  if (account.status === 'closed') throw conflict('the account is closed', 'status');
  if (account.status === 'provisioning') throw conflict('the account is still being provisioned', 'status');
  if (status === 'closed') return close(account, `closed by ${by}`);
  const happened = status === 'active' ? accountReactivated : accountSuspended;
  return {
    account: { ...account, status },
    facts: [factOf(happened, { accountSid: sidOf('AC', account.id) })],
  };
}

function close(account: AccountState, reason: string): Decision {
  return {
    account: { ...account, status: 'closed', closeReason: reason },
    facts: [factOf(accountClosed, { accountSid: sidOf('AC', account.id), reason })],
  };
}

function conflict(detail: string, field?: string): Failure {
  return new Failure('conflict', { detail, ...(field ? { field } : {}) });
}
