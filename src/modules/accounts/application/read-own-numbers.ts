import { Injectable } from '@nestjs/common';
import type { IdPosition } from '../../../platform/http/twilio-list.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import { AccountsQueries, type PhoneNumber } from '../infrastructure/accounts.queries.js';

export type { PhoneNumber };

/** Reads the phone numbers of an account, for itself. */
@Injectable()
export class ReadOwnNumbers {
  constructor(private readonly queries: AccountsQueries) {}

  /** @throws Failure `not_found` when the account has no such number */
  async one(accountSid: string, numberSid: string): Promise<PhoneNumber> {
    const id = parseSid('PN', numberSid);
    const number = id && (await this.queries.phoneNumberById(parseSid('AC', accountSid)!, id));
    if (!number) throw new Failure('not_found');
    return number;
  }

  /**
   * Newest first.
   *
   * @param filter.part digits and plus signs that the number holds, with `*` for any one digit
   */
  async page(
    accountSid: string,
    filter: { friendlyName?: string; part?: string },
    from: IdPosition,
    limit: number,
  ): Promise<PhoneNumber[]> {
    const { part, ...rest } = filter;
    const narrowed = part === undefined ? rest : { ...rest, like: part.replaceAll('*', '_') };
    return this.queries.ownNumbers(parseSid('AC', accountSid)!, narrowed, from, limit);
  }
}
