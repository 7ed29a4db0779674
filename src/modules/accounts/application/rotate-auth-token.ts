import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import { Failure } from '../../../shared/failure.js';
import { sidOf } from '../../../shared/sid.js';
import { tokenRotated } from '../contract/accounts.events.js';
import { factOf } from '../domain/account.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';
import { newAuthToken, sealContext } from './credentials.js';

/** Replaces an account's auth token; the old one is void at once, for requests and for signatures. */
@Injectable()
export class RotateAuthToken {
  constructor(
    private readonly changes: AccountChanges,
    private readonly repository: AccountsRepository,
    private readonly secrets: SecretBox,
  ) {}

  /**
   * @param authToken the new token; by default one is made
   * @returns the new token
   * @throws Failure `not_found`; `conflict` when the account is closed
   */
  async rotate(accountSid: string, authToken = newAuthToken()): Promise<string> {
    await this.changes.change(accountSid, async (account, tx) => {
      if (account.status === 'closed') throw new Failure('conflict', { detail: 'the account is closed' });
      const sid = sidOf('AC', account.id);
      await this.repository.replaceToken(tx, account.id, this.secrets.seal(authToken, sealContext(sid)));
      return { account, facts: [factOf(tokenRotated, { accountSid: sid })] };
    });
    return authToken;
  }
}
