import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { EventData, NewEvent } from '../../../shared/define-event.js';
import { sidOf } from '../../../shared/sid.js';
import { rateChanged } from '../contract/billing.events.js';
import { GENERAL, type StoredRate } from '../domain/rates.js';
import { BillingDatabase, BillingLog } from '../infrastructure/billing.storage.js';
import { PriceList } from './price-list.js';

/** How every change of a rate is made: written together with its event. */
@Injectable()
export class RateChanges {
  constructor(
    private readonly db: BillingDatabase,
    private readonly log: BillingLog,
    private readonly prices: PriceList,
  ) {}

  /** Runs `write`, which returns the rate and the version of its event; `gone` says that the rate is no more. */
  async change(
    write: (tx: Queryable) => Promise<{ rate: StoredRate; version: number; gone: boolean }>,
  ): Promise<StoredRate> {
    const { rate, event } = await this.db.transaction(async (tx) => {
      const written = await write(tx);
      const appended = eventOf(written.rate, written.version, written.gone);
      await this.log.append(tx, [appended]);
      return { rate: written.rate, event: appended };
    });
    this.prices.on([event]);
    this.log.wake();
    return rate;
  }
}

function eventOf(rate: StoredRate, version: number, gone: boolean): NewEvent<EventData<typeof rateChanged>> {
  const tenantId = rate.accountId === GENERAL ? null : rate.accountId;
  return {
    type: rateChanged.type,
    streamId: rate.id,
    version,
    tenantId,
    data: {
      rateId: rate.id,
      accountSid: tenantId && sidOf('AC', tenantId),
      prefix: rate.prefix,
      priceMicros: gone ? null : rate.priceMicros,
      currency: rate.currency,
    },
  };
}
