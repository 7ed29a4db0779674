import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import type { Credit } from '../domain/ledger.js';
import { LedgerAccountsRepository } from '../infrastructure/ledger-accounts.repository.js';

/** Lists what was credited to an account, newest first. */
@Injectable()
export class ListCredits {
  constructor(
    private readonly accounts: AccountsApi,
    private readonly ledgerAccounts: LedgerAccountsRepository,
  ) {}

  /**
   * @param afterEntryKey entry key of the last credit of the page before; null for the first page
   * @throws Failure `not_found`
   */
  async list(accountSid: string, afterEntryKey: string | null, limit: number): Promise<Credit[]> {
    const id = parseSid('AC', accountSid);
    if (!id || !(await this.accounts.getAccount({ accountSid }))) {
      throw new Failure('not_found', { detail: `there is no account ${accountSid}` });
    }
    return this.ledgerAccounts.credits(id, afterEntryKey, limit);
  }
}
