import { Injectable } from '@nestjs/common';
import { parseSid } from '../../../shared/sid.js';
import { AccountsQueries, type PhoneNumber } from '../infrastructure/accounts.queries.js';
import { FindAccount } from './find-account.js';

/** Lists the phone numbers of an account, newest first. */
@Injectable()
export class ListPhoneNumbers {
  constructor(
    private readonly accounts: FindAccount,
    private readonly queries: AccountsQueries,
  ) {}

  /**
   * @param afterId id of the last number of the page before; null for the first page
   * @throws Failure `not_found` when there is no such account
   */
  async list(accountSid: string, afterId: string | null, limit: number): Promise<PhoneNumber[]> {
    const { sid } = await this.accounts.find(accountSid);
    return this.queries.phoneNumbers(parseSid('AC', sid)!, afterId, limit);
  }
}
