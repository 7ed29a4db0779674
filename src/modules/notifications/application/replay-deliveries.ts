import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { DeliveryQueries, parseDeliveryId, type ReplayFilter } from '../infrastructure/delivery-queries.js';

/** At most how many deliveries one call lets go; what is left over is told, so that the call can be repeated. */
const MAX_REPLAYED = 1000;

/** Lets a customer's dead deliveries be tried again from their first attempt. */
@Injectable()
export class ReplayDeliveries {
  constructor(private readonly queries: DeliveryQueries) {}

  /** @throws Failure not_found for another account's delivery too; conflict when it is not dead */
  async one(accountId: string, id: string): Promise<void> {
    const parsed = parseDeliveryId(id);
    if (!parsed || !(await this.queries.exists(accountId, parsed.messageId, parsed.version))) {
      throw new Failure('not_found');
    }
    const filter = { messageId: parsed.messageId, createdAfter: null, createdBefore: null };
    const replayed = await this.queries.replay(accountId, filter, parsed.version, 1);
    if (replayed === 0) throw new Failure('conflict', { detail: 'only a dead delivery can be replayed' });
  }

  async matching(accountId: string, filter: ReplayFilter): Promise<{ replayed: number; more: boolean }> {
    const replayed = await this.queries.replay(accountId, filter, null, MAX_REPLAYED);
    return { replayed, more: replayed === MAX_REPLAYED };
  }
}
