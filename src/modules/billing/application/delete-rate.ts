import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { RatesRepository } from '../infrastructure/rates.repository.js';
import { RateChanges } from './rate-changes.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Takes a rate away: its prefix costs what the next shorter one does. */
@Injectable()
export class DeleteRate {
  constructor(
    private readonly rates: RatesRepository,
    private readonly changes: RateChanges,
  ) {}

  /** @throws Failure `not_found` */
  async delete(id: string): Promise<void> {
    if (!UUID.test(id)) throw new Failure('not_found');
    await this.changes.change(async (tx) => {
      const rate = await this.rates.remove(tx, id);
      if (!rate) throw new Failure('not_found');
      return { rate, version: rate.version + 1, gone: true };
    });
  }
}
