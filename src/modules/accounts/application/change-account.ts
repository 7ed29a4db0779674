import { Injectable } from '@nestjs/common';
import type { Account } from '../contract/accounts.api.js';
import { type AccountPatch, amend } from '../domain/account.js';
import { AccountChanges } from './account-changes.js';
import { accountView } from './account-view.js';

/** Changes what an operator may change of an account: tier, limits, policy, status. */
@Injectable()
export class ChangeAccount {
  constructor(private readonly changes: AccountChanges) {}

  /** @throws Failure `not_found`; `conflict` when the account's status does not allow it */
  async change(accountSid: string, patch: AccountPatch): Promise<Account> {
    return accountView(await this.changes.change(accountSid, (account) => amend(account, patch)));
  }
}
