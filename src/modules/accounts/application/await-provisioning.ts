import { Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountsLog } from '../infrastructure/accounts.storage.js';
import { accountView } from './account-view.js';

const PROVISIONED_WITHIN_MS = 2_000;
/** How long another process's work may go unnoticed; work of this process wakes. */
const POLL_MS = 100;

/** Waits until billing has answered for a new account. */
@Injectable()
export class AwaitProvisioning {
  constructor(
    private readonly repository: AccountsRepository,
    private readonly log: AccountsLog,
  ) {}

  /**
   * @returns the account, as soon as it is active
   * @throws Failure `unavailable` when the time is over: it may be provisioned yet; `conflict` when billing refused
   */
  async wait(accountSid: string, withinMs = PROVISIONED_WITHIN_MS): Promise<Account> {
    const id = parseSid('AC', accountSid);
    if (!id) throw new Failure('not_found');
    const deadline = performance.now() + withinMs;
    const wakeup = new Wakeup();
    const off = this.log.onWake(() => wakeup.wake());
    try {
      for (;;) {
        const stored = await this.repository.find(id);
        if (!stored) throw new Failure('not_found');
        if (stored.account.status !== 'provisioning') return settled(accountView(stored.account));
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) throw tooLate(accountSid);
        await wakeup.wait(Math.min(POLL_MS, leftMs));
      }
    } finally {
      off();
    }
  }
}

function settled(account: Account): Account {
  if (account.status !== 'closed') return account;
  throw new Failure('conflict', { detail: `the account could not be provisioned: ${account.closeReason}` });
}

function tooLate(accountSid: string): Failure {
  return new Failure('unavailable', {
    detail: `the account ${accountSid} is still being provisioned; it will be usable later`,
    retryAfterSeconds: 2,
  });
}
