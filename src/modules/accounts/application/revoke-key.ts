import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { keyRevoked } from '../contract/accounts.events.js';
import { factOf } from '../domain/account.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';

/** Revokes an API key for good. */
@Injectable()
export class RevokeKey {
  constructor(
    private readonly changes: AccountChanges,
    private readonly repository: AccountsRepository,
  ) {}

  /** @throws Failure `not_found` when the account has no such key, or it was revoked before */
  async revoke(accountSid: string, keySid: string): Promise<void> {
    const id = parseSid('SK', keySid);
    if (!id) throw new Failure('not_found');
    await this.changes.change(accountSid, async (account, tx) => {
      if (!(await this.repository.revokeKey(tx, account.id, id))) throw new Failure('not_found');
      const fact = factOf(keyRevoked, { accountSid: sidOf('AC', account.id), keySid: sidOf('SK', id) });
      return { account, facts: [fact] };
    });
  }
}
