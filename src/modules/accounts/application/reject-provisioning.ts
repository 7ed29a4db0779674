import { Injectable } from '@nestjs/common';
import { reject } from '../domain/account.js';
import { AccountChanges } from './account-changes.js';

/** Closes an account whose ledger cannot be opened. */
@Injectable()
export class RejectProvisioning {
  constructor(private readonly changes: AccountChanges) {}

  /** @throws Failure `not_found`; `conflict` when the account is in use already */
  async reject(accountSid: string, reason: string): Promise<void> {
    await this.changes.change(accountSid, (account) => reject(account, reason));
  }
}
