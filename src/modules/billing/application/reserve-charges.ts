import { Injectable } from '@nestjs/common';
import { idTimeMs, parseSid } from '../../../shared/sid.js';
import { KEY_FUTURE_MS, KEY_PAST_MS, type ReserveItem, type ReserveResult } from '../contract/billing.api.js';
import { type ChargeKey, parseChargeKey } from '../domain/charge-key.js';
import { CURRENCY } from '../domain/ledger.js';
import { priceOf, type RateTable } from '../domain/rates.js';
import { LedgerRepository, type Reservation } from '../infrastructure/ledger.repository.js';
import { PriceList } from './price-list.js';

type Refusal = Exclude<ReserveResult['outcome'], 'reserved'>;

/** Reserves what messages cost before they are sent. */
@Injectable()
export class ReserveCharges {
  constructor(
    private readonly prices: PriceList,
    private readonly ledger: LedgerRepository,
  ) {}

  /** Answers stand in the order of the items. An item that is refused leaves the others alone. */
  async reserve(items: readonly ReserveItem[]): Promise<ReserveResult[]> {
    const tables = await this.tables(items);
    const now = Date.now();
    const priced = items.map((item) => price(item, tables, now));
    const reservations = priced.filter((one) => typeof one !== 'string');
    const states = await this.ledger.reserve(reservations);
    let next = 0;
    return priced.map((one) => {
      if (typeof one === 'string') return { outcome: one };
      const reserved = states[next++]!;
      return reserved.state === 'reserved'
        ? { outcome: 'reserved', amountMicros: reserved.amountMicros, currency: CURRENCY }
        : { outcome: reserved.state };
    });
  }

  private async tables(items: readonly ReserveItem[]): Promise<Map<string, RateTable>> {
    const sids = [...new Set(items.map((item) => item.accountSid))];
    const tables = new Map<string, RateTable>();
    await Promise.all(
      sids.map(async (sid) => {
        const id = parseSid('AC', sid);
        if (id) tables.set(sid, await this.prices.of(id));
      }),
    );
    return tables;
  }
}

function price(item: ReserveItem, tables: ReadonlyMap<string, RateTable>, now: number): Reservation | Refusal {
  const key = parseChargeKey(item.key);
  if (!key || !isRecent(key, now)) return 'invalid_key';
  const accountId = parseSid('AC', item.accountSid);
  const table = tables.get(item.accountSid);
  if (!accountId || !table) return 'no_ledger';
  const rate = table.find(item.to);
  const amountMicros = rate && priceOf(rate, item.segments);
  return amountMicros === null ? 'no_rate' : { key, accountId, amountMicros };
}

/** Entries are partitioned by the instant in their key: one far from now has no partition, and would fail its group. */
function isRecent(key: ChargeKey, now: number): boolean {
  const ageMs = now - idTimeMs(key.id);
  return ageMs < KEY_PAST_MS && ageMs > -KEY_FUTURE_MS;
}
