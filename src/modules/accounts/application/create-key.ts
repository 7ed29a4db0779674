import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { keyCreated } from '../contract/accounts.events.js';
import { factOf } from '../domain/account.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';
import { digestOf, newKeySecret } from './credentials.js';

/** Keys of an account that are not revoked. */
const MAX_KEYS = 100;

export interface NewKey {
  readonly sid: string;
  readonly friendlyName: string;
  readonly createdAt: Date;
  /** Known here and now only: its digest is what is kept. */
  readonly secret: string;
}

/** Makes an API key of an account. */
@Injectable()
export class CreateKey {
  constructor(
    private readonly changes: AccountChanges,
    private readonly repository: AccountsRepository,
  ) {}

  /** @throws Failure `not_found`; `conflict` when the account is closed, or has as many keys as it may */
  async create(accountSid: string, friendlyName: string): Promise<NewKey> {
    const id = newId();
    const secret = newKeySecret();
    let createdAt = new Date();
    await this.changes.change(accountSid, async (account, tx) => {
      if (account.status === 'closed') throw new Failure('conflict', { detail: 'the account is closed' });
      if ((await this.repository.countKeys(tx, account.id)) >= MAX_KEYS) {
        throw new Failure('conflict', { detail: `an account has at most ${MAX_KEYS} keys` });
      }
      const key = { id, accountId: account.id, friendlyName, secretHash: digestOf(secret) };
      createdAt = await this.repository.insertKey(tx, key);
      const fact = factOf(keyCreated, { accountSid: sidOf('AC', account.id), keySid: sidOf('SK', id) });
      return { account, facts: [fact] };
    });
    return { sid: sidOf('SK', id), friendlyName, createdAt, secret };
  }
}
