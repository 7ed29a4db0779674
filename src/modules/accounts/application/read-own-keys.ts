import { Injectable } from '@nestjs/common';
import type { IdPosition } from '../../../platform/http/twilio-list.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import { AccountsQueries, type ApiKey } from '../infrastructure/accounts.queries.js';

export type { ApiKey };

/** Reads the API keys of an account that are in use. */
@Injectable()
export class ReadOwnKeys {
  constructor(private readonly queries: AccountsQueries) {}

  /** @throws Failure `not_found` when the account has no such key, or it is revoked */
  async one(accountSid: string, keySid: string): Promise<ApiKey> {
    const id = parseSid('SK', keySid);
    const key = id && (await this.queries.ownKey(parseSid('AC', accountSid)!, id));
    if (!key) throw new Failure('not_found');
    return key;
  }

  /** Newest first. */
  async page(accountSid: string, from: IdPosition, limit: number): Promise<ApiKey[]> {
    return this.queries.ownKeys(parseSid('AC', accountSid)!, from, limit);
  }
}
