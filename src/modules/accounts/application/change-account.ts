import { Injectable } from '@nestjs/common';
import type { Account } from '../contract/accounts.api.js';
import { type AccountPatch, amend, follow } from '../domain/account.js';
import { AccountChanges } from './account-changes.js';
import { accountView } from './account-view.js';

/** Changes what an operator may change of an account: tier, limits, policy, status. */
@Injectable()
export class ChangeAccount {
  constructor(private readonly changes: AccountChanges) {}

  /**
   * Whoever is stopped must not go on by way of what it owns: a suspension or closing holds for its subaccounts too.
   *
   * @throws Failure `not_found`; `conflict` when the account's status, or that of one that it owns, does not allow it
   */
  async change(accountSid: string, patch: AccountPatch): Promise<Account> {
    const { status } = patch;
    const isStopped = status === 'suspended' || status === 'closed';
    const changed = await this.changes.change(
      accountSid,
      (account) => amend(account, patch),
      isStopped ? { decideOwned: (owned) => follow(owned, status) } : {},
    );
    return accountView(changed);
  }
}
