import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { keyRenamed } from '../contract/accounts.events.js';
import { factOf } from '../domain/account.js';
import type { ApiKey } from '../infrastructure/accounts.queries.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';
import { ReadOwnKeys } from './read-own-keys.js';

/** Gives an API key another name. */
@Injectable()
export class RenameKey {
  constructor(
    private readonly changes: AccountChanges,
    private readonly repository: AccountsRepository,
    private readonly keys: ReadOwnKeys,
  ) {}

  /** @throws Failure `not_found` when the account has no such key, or it is revoked */
  async rename(accountSid: string, keySid: string, friendlyName: string): Promise<ApiKey> {
    const id = parseSid('SK', keySid);
    if (!id) throw new Failure('not_found');
    await this.changes.change(accountSid, async (account, tx) => {
      if (!(await this.repository.renameKey(tx, account.id, id, friendlyName))) throw new Failure('not_found');
      const fact = factOf(keyRenamed, { accountSid: sidOf('AC', account.id), keySid: sidOf('SK', id) });
      return { account, facts: [fact] };
    });
    return this.keys.one(accountSid, keySid);
  }
}
