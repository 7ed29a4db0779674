import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { LocalTail } from '../../../platform/event-log/consumer.js';
import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import { parseSid } from '../../../shared/sid.js';
import { rateChanged } from '../contract/billing.events.js';
import { byPrefix, GENERAL, type RatesByPrefix, RateTable } from '../domain/rates.js';
import { RatesRepository } from '../infrastructure/rates.repository.js';

const MAX_CACHED_RATES = 1_000_000;
const FRESH_MS = 60_000;
const NO_RATES: RatesByPrefix = new Map();

/**
 * The rates as this process knows them, so that pricing a message costs no query. Concurrent misses share one load;
 * rates past their time are served while they are loaded again; the events of billing evict what they changed.
 */
@Injectable()
export class PriceList implements LocalTail {
  readonly id = 'billing.price-list';
  readonly source = 'billing';
  private readonly cache: LRUCache<string, RatesByPrefix>;

  constructor(private readonly rates: RatesRepository) {
    this.cache = new LRUCache<string, RatesByPrefix>({
      maxSize: MAX_CACHED_RATES,
      sizeCalculation: (own) => own.size + 1,
      ttl: FRESH_MS,
      allowStale: true,
      // Where the database is gone, what is known stays known; what is not is an error, never an answer.
      noDeleteOnFetchRejection: true,
      // Rates that changed while they were loaded go to whoever waits for them, and are not kept.
      ignoreFetchAbort: true,
      fetchMethod: async (accountId) => {
        const own = await this.rates.ratesOf(accountId);
        return own.length === 0 ? NO_RATES : byPrefix(own);
      },
    });
  }

  /** The rates that hold for an account: its own and the general ones. */
  async of(accountId: string): Promise<RateTable> {
    const [own, general] = await Promise.all([this.ratesOf(accountId), this.ratesOf(GENERAL)]);
    return new RateTable(own, general);
  }

  private ratesOf(accountId: string): RatesByPrefix | Promise<RatesByPrefix> {
    const fresh = this.cache.get(accountId, { allowStale: false, noDeleteOnStaleGet: true });
    return fresh ?? this.cache.forceFetch(accountId);
  }

  on(events: readonly Pick<StoredEvent, 'type' | 'data'>[]): void {
    for (const event of events) {
      if (event.type !== rateChanged.type) continue;
      const { accountSid } = event.data as EventData<typeof rateChanged>;
      const accountId = accountSid === null ? GENERAL : parseSid('AC', accountSid);
      if (accountId) this.cache.delete(accountId);
    }
  }

  lost(): void {
    this.cache.clear();
  }
}
