import { Injectable } from '@nestjs/common';
import type { Tier } from '../../../shared/principal.js';
import { sidOf } from '../../../shared/sid.js';
import { accountProvisioned } from '../contract/billing.events.js';
import { CURRENCY } from '../domain/ledger.js';
import { quotaOf } from '../domain/quota.js';
import { BillingDatabase, BillingLog } from '../infrastructure/billing.storage.js';
import { LedgerAccountsRepository } from '../infrastructure/ledger-accounts.repository.js';

/** Opens the ledger account of a customer, once, with the daily quota of its tier. */
@Injectable()
export class OpenLedgerAccount {
  constructor(
    private readonly db: BillingDatabase,
    private readonly log: BillingLog,
    private readonly accounts: LedgerAccountsRepository,
  ) {}

  async open(accountId: string, tier: Tier): Promise<void> {
    await this.db.transaction(async (tx) => {
      if (!(await this.accounts.open(tx, accountId, CURRENCY, quotaOf(tier, null)))) return;
      const data = { accountSid: sidOf('AC', accountId), currency: CURRENCY };
      const event = { type: accountProvisioned.type, streamId: accountId, version: 1, tenantId: accountId, data };
      await this.log.append(tx, [event]);
    });
    this.log.wake();
  }
}
