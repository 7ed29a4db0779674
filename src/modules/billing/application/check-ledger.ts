import { Injectable } from '@nestjs/common';
import { sidOf } from '../../../shared/sid.js';
import type { LedgerCheck } from '../contract/billing.api.js';
import { chargeKeyText } from '../domain/charge-key.js';
import { FUNDING_ID, REVENUE_ID } from '../domain/ledger.js';
import { type AccountFault, LedgerCheckRepository } from '../infrastructure/ledger-check.repository.js';

type Violation = LedgerCheck['violations'][number];

/** Checks the whole ledger against its entries. */
@Injectable()
export class CheckLedger {
  constructor(private readonly repository: LedgerCheckRepository) {}

  async check(): Promise<LedgerCheck> {
    const { entries, sumMicros, accounts, resolutions } = await this.repository.check();
    const violations: Violation[] = accounts.flatMap((fault) =>
      detailsOf(fault).map((detail) => ({ account: nameOf(fault.id), detail })),
    );
    if (sumMicros !== '0') {
      violations.push({ account: 'ledger', detail: `the balances sum to ${sumMicros} micro-units instead of zero` });
    }
    for (const { key, keyPrefix, pending } of resolutions) {
      const detail = pending
        ? 'resolves another amount or account than was reserved'
        : 'resolves what was not reserved';
      violations.push({ account: chargeKeyText({ prefix: keyPrefix, id: key }), detail });
    }
    return { entries, sumMicros, violations };
  }
}

function detailsOf(fault: AccountFault): string[] {
  if (fault.kind === null) return ['has entries, but is no account of the ledger'];
  const details: string[] = [];
  if (fault.balance !== fault.projectedBalance) {
    details.push(`its balance is ${fault.balance} micro-units, its entries make ${fault.projectedBalance}`);
  }
  if (fault.reserved !== fault.projectedReserved) {
    details.push(`${fault.reserved} micro-units are reserved, its entries make ${fault.projectedReserved}`);
  }
  if (fault.open !== fault.projectedOpen) {
    details.push(`${fault.open} reservations are open, its entries make ${fault.projectedOpen}`);
  }
  if (fault.used !== fault.projectedUsed) {
    details.push(`${fault.used} messages count for its quota's day, its entries make ${fault.projectedUsed}`);
  }
  if (fault.charges !== fault.projectedCharges || fault.charged !== fault.projectedCharged) {
    details.push(
      `its usage is ${fault.charges} charges of ${fault.charged} micro-units, its entries make ${fault.projectedCharges} of ${fault.projectedCharged}`,
    );
  }
  const available = BigInt(fault.balance) - BigInt(fault.reserved);
  if (fault.kind === 'customer' && available < BigInt(fault.limit)) {
    details.push(`${available} micro-units are available, below its limit of ${fault.limit}`);
  }
  return details;
}

function nameOf(id: string): string {
  if (id === REVENUE_ID) return 'revenue';
  return id === FUNDING_ID ? 'funding' : sidOf('AC', id);
}
