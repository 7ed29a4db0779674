import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { phoneNumberReleased } from '../contract/accounts.events.js';
import { factOf } from '../domain/account.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';

/** Gives a phone number back: the account sends from it no more, and the operator may assign it again. */
@Injectable()
export class ReleasePhoneNumber {
  constructor(
    private readonly changes: AccountChanges,
    private readonly repository: AccountsRepository,
  ) {}

  /** @throws Failure `not_found` when the account has no such number */
  async release(accountSid: string, numberSid: string): Promise<void> {
    const id = parseSid('PN', numberSid);
    if (!id) throw new Failure('not_found');
    await this.changes.change(accountSid, async (account, tx) => {
      const released = await this.repository.deleteNumber(tx, account.id, id);
      if (!released) throw new Failure('not_found');
      const accountSid = sidOf('AC', account.id);
      return { account, facts: [factOf(phoneNumberReleased, { accountSid, phoneNumber: released.phoneNumber })] };
    });
  }
}
