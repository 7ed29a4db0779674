import { Injectable } from '@nestjs/common';
import { parseSid } from '../../../shared/sid.js';
import { AccountsQueries, type ApiKey } from '../infrastructure/accounts.queries.js';
import { FindAccount } from './find-account.js';

/** Lists the API keys of an account, newest first, without their secrets, which nobody knows. */
@Injectable()
export class ListKeys {
  constructor(
    private readonly accounts: FindAccount,
    private readonly queries: AccountsQueries,
  ) {}

  /**
   * @param afterId id of the last key of the page before; null for the first page
   * @throws Failure `not_found` when there is no such account
   */
  async list(accountSid: string, afterId: string | null, limit: number): Promise<ApiKey[]> {
    const { sid } = await this.accounts.find(accountSid);
    return this.queries.apiKeys(parseSid('AC', sid)!, afterId, limit);
  }
}
