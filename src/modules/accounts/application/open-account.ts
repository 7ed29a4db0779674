import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import { Failure } from '../../../shared/failure.js';
import type { Tier } from '../../../shared/principal.js';
import { newId, parseSid, sidOf } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import { accountOpened } from '../contract/accounts.events.js';
import { factOf } from '../domain/account.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';
import { accountView } from './account-view.js';
import { newAuthToken, sealContext } from './credentials.js';

/** As many as one call of `subaccountsOf` tells. */
const MAX_SUBACCOUNTS = 1_000;
const field = 'owner_account_sid';

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
    const ownerId = input.ownerAccountSid === undefined ? null : parseSid('AC', input.ownerAccountSid);
    if (input.ownerAccountSid !== undefined && !ownerId) throw noOwner();
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
      async (tx) => {
        if (ownerId) await this.admitUnder(tx, ownerId);
      },
    );
    return account ? { account: accountView(account), authToken } : this.existing(id, sid);
  }

  /** Under the owner's lock, so that subaccounts that are opened at once are counted. */
  private async admitUnder(tx: Queryable, ownerId: string): Promise<void> {
    const owner = await this.repository.lock(tx, ownerId);
    if (!owner) throw noOwner();
    if (owner.ownerId) throw new Failure('conflict', { field, detail: 'a subaccount cannot own accounts' });
    if (owner.status !== 'active') throw new Failure('conflict', { field, detail: `the owner is ${owner.status}` });
    if ((await this.repository.countSubaccounts(tx, ownerId)) >= MAX_SUBACCOUNTS) {
      throw new Failure('conflict', { field, detail: `an account owns at most ${MAX_SUBACCOUNTS} others` });
    }
  }

  private async existing(id: string, sid: string): Promise<OpenedAccount> {
    const stored = await this.repository.find(id);
    if (!stored) throw new Error(`the account ${sid} is neither new nor there`);
    return { account: accountView(stored.account), authToken: this.secrets.open(stored.sealedToken, sealContext(sid)) };
  }
}

function noOwner(): Failure {
  return new Failure('not_found', { field, detail: 'there is no such account' });
}
