import { Injectable } from '@nestjs/common';
import { activate } from '../domain/account.js';
import { AccountChanges } from './account-changes.js';

/** Makes an account active once its ledger is open. */
@Injectable()
export class CompleteProvisioning {
  constructor(private readonly changes: AccountChanges) {}

  /** An account that has left provisioning stays what it is. @throws Failure `not_found` */
  async complete(accountSid: string): Promise<void> {
    await this.changes.change(accountSid, activate);
  }
}
