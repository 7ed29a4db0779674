import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { AwaitProvisioning } from './await-provisioning.js';
import { FindAccount } from './find-account.js';
import { OpenAccount, type OpenedAccount } from './open-account.js';

/** Opens a subaccount for the account that will own it: of its tier, with a balance of its own, which is empty. */
@Injectable()
export class OpenSubaccount {
  constructor(
    private readonly accounts: FindAccount,
    private readonly openAccount: OpenAccount,
    private readonly provisioning: AwaitProvisioning,
  ) {}

  /**
   * Answers when it is usable.
   *
   * @throws Failure `forbidden` for a subaccount; `conflict` where the account owns as many as it may; `unavailable`
   *   when it takes too long, and the subaccount appears later
   */
  async open(ownerAccountSid: string, friendlyName: string): Promise<OpenedAccount> {
    const owner = await this.accounts.find(ownerAccountSid);
    if (owner.ownerAccountSid) throw new Failure('forbidden', { detail: 'a subaccount cannot own accounts' });
    const opened = await this.openAccount.open({ friendlyName, tier: owner.tier, ownerAccountSid });
    return { account: await this.provisioning.wait(opened.account.sid), authToken: opened.authToken };
  }
}
