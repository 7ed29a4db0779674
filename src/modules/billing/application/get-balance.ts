import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import type { Balance } from '../domain/ledger.js';
import { LedgerAccountsRepository } from '../infrastructure/ledger-accounts.repository.js';

/** Reads an account's balance. */
@Injectable()
export class GetBalance {
  constructor(private readonly accounts: LedgerAccountsRepository) {}

  /** @throws Failure `not_found` when the account's ledger is not open */
  async of(accountSid: string): Promise<Balance> {
    const id = parseSid('AC', accountSid);
    const balance = id && (await this.accounts.balance(id));
    if (!balance) throw new Failure('not_found', { detail: `the account ${accountSid} has no ledger` });
    return balance;
  }
}
