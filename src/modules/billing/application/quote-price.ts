import { Injectable } from '@nestjs/common';
import { parseSid } from '../../../shared/sid.js';
import { priceOf } from '../domain/rates.js';
import { PriceList } from './price-list.js';

/** Says what a message would cost. */
@Injectable()
export class QuotePrice {
  constructor(private readonly prices: PriceList) {}

  /** @returns null where there is no rate to the destination, or no such account SID */
  async quote(input: { accountSid: string; to: string; segments: number }) {
    const accountId = parseSid('AC', input.accountSid);
    const rate = accountId && (await this.prices.of(accountId)).find(input.to);
    if (!rate) return null;
    const amountMicros = priceOf(rate, input.segments);
    return amountMicros === null ? null : { amountMicros, currency: rate.currency };
  }
}
