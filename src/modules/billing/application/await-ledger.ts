import { Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { BillingLog } from '../infrastructure/billing.storage.js';
import { LedgerAccountsRepository } from '../infrastructure/ledger-accounts.repository.js';

const OPENED_WITHIN_MS = 2_000;
/** How long another process's work may go unnoticed; work of this process wakes. */
const POLL_MS = 100;

/** Finds the ledger account of an account, waiting for one that is just being opened. */
@Injectable()
export class AwaitLedger {
  constructor(
    private readonly accounts: AccountsApi,
    private readonly ledgerAccounts: LedgerAccountsRepository,
    private readonly log: BillingLog,
  ) {}

  /**
   * @returns the id of the ledger account, which is that of the account
   * @throws Failure `not_found`: no such account; `conflict`: it is closed; `unavailable`: not open within the time
   */
  async wait(accountSid: string, withinMs = OPENED_WITHIN_MS): Promise<string> {
    const id = parseSid('AC', accountSid);
    const account = id && (await this.accounts.getAccount({ accountSid }));
    if (!account) throw new Failure('not_found', { detail: `there is no account ${accountSid}` });
    if (account.status === 'closed') throw new Failure('conflict', { detail: 'the account is closed' });
    const deadline = performance.now() + withinMs;
    const wakeup = new Wakeup();
    const off = this.log.onWake(() => wakeup.wake());
    try {
      while (!(await this.ledgerAccounts.balance(id))) {
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) throw tooLate(accountSid);
        await wakeup.wait(Math.min(POLL_MS, leftMs));
      }
      return id;
    } finally {
      off();
    }
  }
}

function tooLate(accountSid: string): Failure {
  return new Failure('unavailable', {
    detail: `the account ${accountSid} is still being provisioned`,
    retryAfterSeconds: 2,
  });
}
