import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import { Failure } from '../../../shared/failure.js';
import type { Tier } from '../../../shared/principal.js';
import { newId, parseSid, sidOf } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import { accountOpened } from '../contract/accounts.events.js';
import { factOf } from '../domain/account.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';
import { AccountDirectory } from './account-directory.js';
import { accountView } from './account-view.js';
import { newAuthToken, sealContext } from './credentials.js';

export interface NewAccount {
  readonly friendlyName: string;
  readonly tier: Tier;
  /** Whose subaccount it is; absent: nobody's. */
  readonly ownerAccountSid?: string;
  /** For an account that is known before it is opened; by default both are made. */
  readonly sid?: string;
  readonly authToken?: string;
}

export interface OpenedAccount {
  readonly account: Account;
  readonly authToken: string;
}

/** Opens an account, with its first credentials. It is usable once billing has opened its ledger. */
@Injectable()
export class OpenAccount {
  constructor(
    private readonly changes: AccountChanges,
    private readonly directory: AccountDirectory,
    private readonly repository: AccountsRepository,
    private readonly secrets: SecretBox,
  ) {}

  /**
   * @returns the account and its auth token; where an account with the given SID is open already, that one with its own
   * @throws Failure `not_found` or `conflict`, field `owner_account_sid`: there is no such owner, or it may own none
   */
  async open(input: NewAccount): Promise<OpenedAccount> {
    const id = input.sid === undefined ? newId() : parseSid('AC', input.sid);
    if (!id) throw new Failure('invalid_parameter', { field: 'sid', detail: 'must be AC and 32 hexadecimal digits' });
    const ownerId = input.ownerAccountSid === undefined ? null : await this.ownerId(input.ownerAccountSid);
    const sid = sidOf('AC', id);
    const authToken = input.authToken ?? newAuthToken();
    const { friendlyName, tier } = input;
    const now = new Date();
    const account = await this.changes.open(
      {
        id,
        friendlyName,
        tier,
        status: 'provisioning',
        closeReason: null,
        ownerId,
        messagesPerMinute: null,
        messagesPerSecond: null,
        messagesPerDay: null,
        unknownOutcome: 'fail',
        version: 1,
        createdAt: now,
        updatedAt: now,
      },
      this.secrets.seal(authToken, sealContext(sid)),
      factOf(accountOpened, {
        accountSid: sid,
        friendlyName,
        tier,
        ownerAccountSid: ownerId && sidOf('AC', ownerId),
      }),
    );
    return account ? { account: accountView(account), authToken } : this.existing(id, sid);
  }

  private async ownerId(ownerAccountSid: string): Promise<string> {
    const field = 'owner_account_sid';
    const id = parseSid('AC', ownerAccountSid);
    const owner = id && (await this.directory.account(id))?.account;
    if (!owner) throw new Failure('not_found', { field, detail: 'there is no such account' });
    if (owner.ownerAccountSid) throw new Failure('conflict', { field, detail: 'a subaccount cannot own accounts' });
    if (owner.status !== 'active') throw new Failure('conflict', { field, detail: `the owner is ${owner.status}` });
    return id;
  }

  private async existing(id: string, sid: string): Promise<OpenedAccount> {
    const stored = await this.repository.find(id);
    if (!stored) throw new Error(`the account ${sid} is neither new nor there`);
    return { account: accountView(stored.account), authToken: this.secrets.open(stored.sealedToken, sealContext(sid)) };
  }
}
