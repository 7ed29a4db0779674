import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import type { Principal } from '../../../shared/principal.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import {
  type Account,
  AccountsApi,
  type Credentials,
  type NamedNumber,
  type OwnedNumber,
} from '../contract/accounts.api.js';
import { AccountDirectory } from './account-directory.js';
import { Authenticate } from './authenticate.js';
import { CompleteProvisioning } from './complete-provisioning.js';
import { FindPhoneNumber } from './find-phone-number.js';
import { RejectProvisioning } from './reject-provisioning.js';

const MAX_NUMBERS = 1_000;

/** The contract of accounts, in process. */
@Injectable()
export class AccountsFacade extends AccountsApi {
  constructor(
    private readonly authentication: Authenticate,
    private readonly directory: AccountDirectory,
    private readonly completion: CompleteProvisioning,
    private readonly rejection: RejectProvisioning,
    private readonly numbers: FindPhoneNumber,
  ) {
    super();
  }

  authenticate(credentials: Credentials): Promise<Principal | null> {
    return this.authentication.authenticate(credentials);
  }

  async getAccount(input: { accountSid: string }): Promise<Account | null> {
    const id = parseSid('AC', input.accountSid);
    return (id && (await this.directory.account(id))?.account) || null;
  }

  async ownsNumber(input: { accountSid: string; phoneNumber: string }): Promise<boolean> {
    const id = parseSid('AC', input.accountSid);
    return id !== null && (await this.directory.number(input.phoneNumber))?.accountId === id;
  }

  async findPhoneNumbers(numbers: readonly string[]): Promise<OwnedNumber[]> {
    if (numbers.length > MAX_NUMBERS) {
      throw new Failure('invalid_parameter', { field: 'numbers', detail: `at most ${MAX_NUMBERS} at once` });
    }
    const owned = await Promise.all([...new Set(numbers)].map((number) => this.ownedNumber(number)));
    return owned.filter((number) => number !== null);
  }

  getPhoneNumber(input: { accountSid: string; phoneNumberSid: string }): Promise<NamedNumber | null> {
    return this.numbers.bySid(input.accountSid, input.phoneNumberSid);
  }

  async signingKeys(accountSids: readonly string[]): Promise<Record<string, string>> {
    const keys: Record<string, string> = {};
    await Promise.all(
      accountSids.map(async (sid) => {
        const id = parseSid('AC', sid);
        const known = id && (await this.directory.account(id));
        if (known) keys[sid] = known.authToken;
      }),
    );
    return keys;
  }

  private async ownedNumber(phoneNumber: string): Promise<OwnedNumber | null> {
    const number = await this.directory.number(phoneNumber);
    const owner = number && (await this.directory.account(number.accountId));
    if (!owner) return null;
    const { id, accountId: _, ...settings } = number;
    return {
      ...settings,
      sid: sidOf('PN', id),
      accountSid: owner.account.sid,
      accountStatus: owner.account.status,
    };
  }

  completeProvisioning(input: { accountSid: string }): Promise<void> {
    return this.completion.complete(input.accountSid);
  }

  rejectProvisioning(input: { accountSid: string; reason: string }): Promise<void> {
    return this.rejection.reject(input.accountSid, input.reason);
  }
}
