import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import { AccountsQueries } from '../infrastructure/accounts.queries.js';

/** Reads one account as it is now. */
@Injectable()
export class FindAccount {
  constructor(private readonly queries: AccountsQueries) {}

  /** @throws Failure `not_found` */
  async find(accountSid: string): Promise<Account> {
    const id = parseSid('AC', accountSid);
    const account = id && (await this.queries.account(id));
    if (!account) throw new Failure('not_found', { detail: `there is no account ${accountSid}` });
    return account;
  }
}
