import { Injectable } from '@nestjs/common';
import type { Principal } from '../../../shared/principal.js';
import { parseSid } from '../../../shared/sid.js';
import type { Credentials } from '../contract/accounts.api.js';
import { AccountDirectory } from './account-directory.js';
import { digestOf, matches } from './credentials.js';

const NOBODY = digestOf('');

/** Tells who credentials belong to. */
@Injectable()
export class Authenticate {
  constructor(private readonly directory: AccountDirectory) {}

  /** An account SID with its auth token, or an API key's SID with its secret; null for anything else. */
  authenticate({ username, password }: Credentials): Promise<Principal | null> {
    const accountId = parseSid('AC', username);
    if (accountId) return this.byToken(accountId, password);
    const keyId = parseSid('SK', username);
    return keyId ? this.byKey(keyId, password) : Promise.resolve(null);
  }

  private async byToken(accountId: string, password: string): Promise<Principal | null> {
    const known = await this.directory.account(accountId);
    // Compared even where there is nothing to compare with, so that the time does not tell which accounts exist.
    const isRight = matches(password, known?.tokenDigest ?? NOBODY);
    return known && isRight && known.account.status !== 'closed' ? known.byToken : null;
  }

  private async byKey(keyId: string, password: string): Promise<Principal | null> {
    const key = await this.directory.key(keyId);
    const isRight = matches(password, key?.secretHash ?? NOBODY);
    if (!key || !isRight) return null;
    const known = await this.directory.account(key.accountId);
    return known && known.account.status !== 'closed' ? known.byKey : null;
  }
}
