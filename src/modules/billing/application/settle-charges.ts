import { Injectable } from '@nestjs/common';
import type { SettleItem, SettleResult } from '../contract/billing.api.js';
import { parseChargeKey } from '../domain/charge-key.js';
import { LedgerRepository, type Resolution } from '../infrastructure/ledger.repository.js';

/** Resolves reservations by the final state of what they pay for. */
@Injectable()
export class SettleCharges {
  constructor(private readonly ledger: LedgerRepository) {}

  /** Answers stand in the order of the items. */
  async settle(items: readonly SettleItem[]): Promise<SettleResult[]> {
    const resolutions = items.map((item): Resolution | null => {
      const key = parseChargeKey(item.key);
      return key && { key: key.id, kind: item.outcome };
    });
    const kinds = await this.ledger.settle(resolutions.filter((resolution) => resolution !== null));
    let next = 0;
    return resolutions.map((resolution) => {
      const kind = resolution && kinds[next++];
      if (!kind) return 'unknown';
      return kind === (resolution.kind === 'undo' ? 'void' : resolution.kind) ? 'settled' : 'contradicted';
    });
  }
}
