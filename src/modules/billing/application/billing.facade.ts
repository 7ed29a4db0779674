import { Injectable } from '@nestjs/common';
import {
  BillingApi,
  type ChargeDigest,
  type ChargeRow,
  type DigestInput,
  type LedgerCheck,
  type ListChargesInput,
  type ReserveItem,
  type ReserveResult,
  type SettleItem,
  type SettleResult,
} from '../contract/billing.api.js';
import { CheckLedger } from './check-ledger.js';
import { DigestCharges } from './digest-charges.js';
import { ListCharges } from './list-charges.js';
import { QuotePrice } from './quote-price.js';
import { ReserveCharges } from './reserve-charges.js';
import { SettleCharges } from './settle-charges.js';

/** The contract of billing, in process. */
@Injectable()
export class BillingFacade extends BillingApi {
  constructor(
    private readonly reservation: ReserveCharges,
    private readonly settlement: SettleCharges,
    private readonly pricing: QuotePrice,
    private readonly digests: DigestCharges,
    private readonly charges: ListCharges,
    private readonly ledger: CheckLedger,
  ) {
    super();
  }

  reserve(items: readonly ReserveItem[]): Promise<ReserveResult[]> {
    return this.reservation.reserve(items);
  }

  settle(items: readonly SettleItem[]): Promise<SettleResult[]> {
    return this.settlement.settle(items);
  }

  quote(input: { accountSid: string; to: string; segments: number }) {
    return this.pricing.quote(input);
  }

  digest(input: DigestInput): Promise<ChargeDigest[]> {
    return this.digests.digest(input);
  }

  listCharges(input: ListChargesInput): Promise<ChargeRow[]> {
    return this.charges.list(input);
  }

  checkLedger(): Promise<LedgerCheck> {
    return this.ledger.check();
  }
}
