import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { newId, parseSid } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { CURRENCY } from '../domain/ledger.js';
import { GENERAL, type StoredRate } from '../domain/rates.js';
import { RatesRepository } from '../infrastructure/rates.repository.js';
import { RateChanges } from './rate-changes.js';

const MAX_RATES_PER_ACCOUNT = 100_000;

/** Sets the price of a segment to the numbers with a prefix. */
@Injectable()
export class SetRate {
  constructor(
    private readonly accounts: AccountsApi,
    private readonly rates: RatesRepository,
    private readonly changes: RateChanges,
  ) {}

  /**
   * A rate that is there already for the prefix gets the new price. Reservations keep theirs.
   *
   * @param input.prefix `+` and digits, or empty for everywhere
   * @param input.accountSid whose price it is; null for everybody's
   * @throws Failure `not_found` (`account_sid`); `conflict` when there are too many rates
   */
  async set(input: { prefix: string; priceMicros: number; accountSid: string | null }): Promise<StoredRate> {
    const accountId = input.accountSid === null ? GENERAL : await this.accountId(input.accountSid);
    if ((await this.rates.count(accountId)) >= MAX_RATES_PER_ACCOUNT) {
      throw new Failure('conflict', { detail: `there are ${MAX_RATES_PER_ACCOUNT} rates, which is the most` });
    }
    const { prefix, priceMicros } = input;
    return this.changes.change(async (tx) => {
      const rate = await this.rates.set(tx, { id: newId(), accountId, prefix, priceMicros, currency: CURRENCY });
      return { rate, version: rate.version, gone: false };
    });
  }

  private async accountId(accountSid: string): Promise<string> {
    const id = parseSid('AC', accountSid);
    if (id && (await this.accounts.getAccount({ accountSid }))) return id;
    throw new Failure('not_found', { field: 'account_sid', detail: `there is no account ${accountSid}` });
  }
}
