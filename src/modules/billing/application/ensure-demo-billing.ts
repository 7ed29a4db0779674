import { Injectable } from '@nestjs/common';
import { parseSid } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import type { BillingDemo } from '../contract/billing.demo.js';
import { BillingDatabase } from '../infrastructure/billing.storage.js';
import { LedgerAccountsRepository } from '../infrastructure/ledger-accounts.repository.js';
import { RatesRepository } from '../infrastructure/rates.repository.js';
import { CreditAccount } from './credit-account.js';
import { OpenLedgerAccount } from './open-ledger-account.js';
import { SetRate } from './set-rate.js';

const CREDIT_KEY = 'demo';

/** Makes what the demo account has in billing, once. */
@Injectable()
export class EnsureDemoBilling implements BillingDemo {
  constructor(
    private readonly accounts: AccountsApi,
    private readonly db: BillingDatabase,
    private readonly ledgerAccounts: LedgerAccountsRepository,
    private readonly ledger: OpenLedgerAccount,
    private readonly rates: RatesRepository,
    private readonly setRate: SetRate,
    private readonly creditAccount: CreditAccount,
  ) {}

  /** See BillingDemo. The credit comes last: where it is there, the rest was made. */
  async ensureDemoBilling(input: Parameters<BillingDemo['ensureDemoBilling']>[0]): Promise<void> {
    const { accountSid } = input;
    const id = parseSid('AC', accountSid);
    if (!id) throw new Error(`${accountSid} is no account SID`);
    await this.ledger.open(id, 'enterprise');
    await this.accounts.completeProvisioning({ accountSid });
    if (await this.ledgerAccounts.findCredit(this.db, id, CREDIT_KEY)) return;
    if ((await this.rates.count()) === 0) {
      for (const rate of input.rates) await this.setRate.set({ ...rate, accountSid: null });
    }
    const amountMicros = BigInt(input.amountMicros);
    await this.creditAccount.credit({ accountSid, key: CREDIT_KEY, amountMicros, reason: 'demo' });
  }
}
