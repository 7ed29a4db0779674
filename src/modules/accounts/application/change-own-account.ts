import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import { type AccountPatch, amend } from '../domain/account.js';
import { AccountChanges } from './account-changes.js';
import { accountView } from './account-view.js';

/** Changes what customers may change: the name of an account, and whether a subaccount is active, suspended or closed. */
@Injectable()
export class ChangeOwnAccount {
  constructor(private readonly changes: AccountChanges) {}

  /**
   * @param callerSid the account that asks: the one to change, or its owner
   * @throws Failure `forbidden` for another account, and for a status of its own; `conflict` when the account's status
   *   does not allow it
   */
  async change(
    callerSid: string,
    accountSid: string,
    patch: Pick<AccountPatch, 'friendlyName' | 'status'>,
  ): Promise<Account> {
    const callerId = parseSid('AC', callerSid);
    const changed = await this.changes.change(accountSid, (account) => {
      if (account.ownerId === callerId) return amend(account, patch, 'its owner');
      if (account.id !== callerId) throw new Failure('forbidden');
      if (patch.status !== undefined && patch.status !== account.status) {
        throw new Failure('forbidden', { field: 'Status', detail: 'an account cannot change its own status' });
      }
      return amend(account, patch);
    });
    return accountView(changed);
  }
}
