import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import type { IdPosition } from '../../../platform/http/twilio-list.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import type { AccountStatus } from '../domain/account.js';
import { AccountsQueries, type OwnAccount } from '../infrastructure/accounts.queries.js';
import { sealContext } from './credentials.js';

/** An account as its owner sees it; the auth token of a closed one is null, because it opens nothing any more. */
export interface OwnAccountView {
  readonly id: string;
  readonly account: Account;
  readonly authToken: string | null;
}

/** Reads an account, and the list of it and its subaccounts, with their auth tokens: for whoever holds its own. */
@Injectable()
export class ReadOwnAccounts {
  constructor(
    private readonly queries: AccountsQueries,
    private readonly secrets: SecretBox,
  ) {}

  /** @throws Failure `not_found` */
  async one(accountSid: string): Promise<OwnAccountView> {
    const id = parseSid('AC', accountSid);
    const own = id && (await this.queries.ownAccount(id));
    if (!own) throw new Failure('not_found');
    return this.view(own);
  }

  /** The account and its subaccounts, newest first. */
  async page(
    accountSid: string,
    filter: { friendlyName?: string; statuses?: readonly AccountStatus[] },
    from: IdPosition,
    limit: number,
  ): Promise<OwnAccountView[]> {
    const rows = await this.queries.ownAccounts(parseSid('AC', accountSid)!, filter, from, limit);
    return rows.map((own) => this.view(own));
  }

  private view({ id, account, sealedToken }: OwnAccount): OwnAccountView {
    const isClosed = account.status === 'closed';
    return { id, account, authToken: isClosed ? null : this.secrets.open(sealedToken, sealContext(account.sid)) };
  }
}
