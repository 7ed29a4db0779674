import { Injectable } from '@nestjs/common';
import type { StoredRate } from '../domain/rates.js';
import { RatesRepository } from '../infrastructure/rates.repository.js';

/** Lists all rates, newest first. */
@Injectable()
export class ListRates {
  constructor(private readonly rates: RatesRepository) {}

  /** @param afterId id of the last rate of the page before; null for the first page */
  async list(afterId: string | null, limit: number): Promise<StoredRate[]> {
    return this.rates.list(afterId, limit);
  }
}
