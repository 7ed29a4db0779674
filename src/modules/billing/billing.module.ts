import { Global, Module } from '@nestjs/common';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { provideStorage } from '../../platform/module-storage.js';
import { AwaitLedger } from './application/await-ledger.js';
import { BillingFacade } from './application/billing.facade.js';
import { CheckLedger } from './application/check-ledger.js';
import { CreditAccount } from './application/credit-account.js';
import { DeleteRate } from './application/delete-rate.js';
import { DigestCharges } from './application/digest-charges.js';
import { EnsureDemoBilling } from './application/ensure-demo-billing.js';
import { GetBalance } from './application/get-balance.js';
import { ListCharges } from './application/list-charges.js';
import { ListCredits } from './application/list-credits.js';
import { ListRates } from './application/list-rates.js';
import { OpenLedgerAccount } from './application/open-ledger-account.js';
import { PriceList } from './application/price-list.js';
import { ProvisionAccounts } from './application/provision-accounts.js';
import { QuotePrice } from './application/quote-price.js';
import { RateChanges } from './application/rate-changes.js';
import { ReadUsage } from './application/read-usage.js';
import { RebuildUsage } from './application/rebuild-usage.js';
import { ReserveCharges } from './application/reserve-charges.js';
import { SetRate } from './application/set-rate.js';
import { SettleCharges } from './application/settle-charges.js';
import { BillingApi } from './contract/billing.api.js';
import { BillingDemo } from './contract/billing.demo.js';
import { BILLING_EVENTS } from './contract/billing.events.js';
import { BalanceController } from './http/balance.controller.js';
import { CreditsController } from './http/credits.controller.js';
import { RatesController } from './http/rates.controller.js';
import { TwilioBalanceController } from './http/twilio-balance.controller.js';
import { UsageController } from './http/usage.controller.js';
import { UsageRebuildController } from './http/usage-rebuild.controller.js';
import { BillingOrm } from './infrastructure/billing.orm.js';
import { BillingConsumers, BillingDatabase, BillingLog } from './infrastructure/billing.storage.js';
import { ChargesRepository } from './infrastructure/charges.repository.js';
import { LedgerRepository } from './infrastructure/ledger.repository.js';
import { LedgerAccountsRepository } from './infrastructure/ledger-accounts.repository.js';
import { LedgerCheckRepository } from './infrastructure/ledger-check.repository.js';
import { RatesRepository } from './infrastructure/rates.repository.js';
import { UsageRepository } from './infrastructure/usage.repository.js';

const STORAGE = { database: BillingDatabase, log: BillingLog, consumers: BillingConsumers };

/** Prices, two-phase charges on a double-entry ledger, balances. */
@Global()
@Module({
  providers: [
    ...provideStorage('billing', STORAGE, BILLING_EVENTS),
    BillingOrm,
    ChargesRepository,
    LedgerRepository,
    LedgerAccountsRepository,
    LedgerCheckRepository,
    RatesRepository,
    UsageRepository,
    AwaitLedger,
    CheckLedger,
    CreditAccount,
    DeleteRate,
    DigestCharges,
    EnsureDemoBilling,
    GetBalance,
    ListCharges,
    ListCredits,
    ListRates,
    OpenLedgerAccount,
    PriceList,
    ProvisionAccounts,
    QuotePrice,
    RateChanges,
    ReadUsage,
    RebuildUsage,
    ReserveCharges,
    SetRate,
    SettleCharges,
    BillingFacade,
    { provide: BillingApi, useExisting: BillingFacade },
    { provide: BillingDemo, useExisting: EnsureDemoBilling },
  ],
  controllers: [
    TwilioBalanceController,
    UsageController,
    UsageRebuildController,
    BalanceController,
    CreditsController,
    RatesController,
  ],
  exports: [BillingApi, BillingDemo],
})
export class BillingModule {
  constructor(bus: EventBus, consumers: BillingConsumers, prices: PriceList, provisioning: ProvisionAccounts) {
    bus.tail(prices);
    bus.consume(consumers, provisioning);
  }
}
