import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import { type AccountPatch, type AccountState, amend, type Decision } from '../domain/account.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';
import { accountView } from './account-view.js';

/** Changes what customers may change: the name of an account, and whether a subaccount is active, suspended or closed. */
@Injectable()
export class ChangeOwnAccount {
  constructor(
    private readonly changes: AccountChanges,
    private readonly repository: AccountsRepository,
  ) {}

  /**
   * @param callerSid the account that asks: the one to change, or its owner
   * @throws Failure `forbidden` for another account, and for a status of its own; `conflict` when the account's status
   *   does not allow it; `account_not_active` when the owner that asks was stopped meanwhile
   */
  async change(
    callerSid: string,
    accountSid: string,
    patch: Pick<AccountPatch, 'friendlyName' | 'status'>,
  ): Promise<Account> {
    const callerId = parseSid('AC', callerSid);
    const decide = (account: AccountState): Decision => {
      if (account.ownerId === callerId) return amend(account, patch, 'its owner');
      if (account.id !== callerId) throw new Failure('forbidden');
      if (patch.status !== undefined && patch.status !== account.status) {
        throw new Failure('forbidden', { field: 'Status', detail: 'an account cannot change its own status' });
      }
      return amend(account, patch);
    };
    const isOwn = parseSid('AC', accountSid) === callerId;
    const changed = await this.changes.change(accountSid, decide, {
      ...(isOwn ? {} : { admit: (tx) => this.requireActive(tx, callerId) }),
    });
    return accountView(changed);
  }

  /**
   * Under its lock, which stopping it takes too, before those of what it owns: an owner that is stopped while its request
   * is under way brings nothing back.
   */
  private async requireActive(tx: Queryable, callerId: string | null): Promise<void> {
    const caller = callerId && (await this.repository.lock(tx, callerId));
    if (!caller) throw new Failure('forbidden');
    if (caller.status !== 'active') throw new Failure('account_not_active');
  }
}
