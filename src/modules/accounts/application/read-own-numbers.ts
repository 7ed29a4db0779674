import { Injectable } from '@nestjs/common';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { AccountsQueries } from '../infrastructure/accounts.queries.js';

/** Looks up one number of an account by its SID. */
@Injectable()
export class ReadOwnNumbers {
  constructor(private readonly queries: AccountsQueries) {}

  /** The number; null where the account owns none with this SID. */
  async bySid(accountSid: string, sid: string): Promise<{ sid: string; phoneNumber: string } | null> {
    const [accountId, id] = [parseSid('AC', accountSid), parseSid('PN', sid)];
    const number = accountId && id && (await this.queries.phoneNumberById(accountId, id));
    return number ? { sid: sidOf('PN', number.id), phoneNumber: number.phoneNumber } : null;
  }
}
