import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import {
  DeliveryQueries,
  type DeliveryView,
  parseDeliveryId,
  type ReplayFilter,
} from '../infrastructure/delivery-queries.js';

/** At most how many deliveries one call lets go; what is left over is told, so that the call can be repeated. */
const MAX_REPLAYED = 1000;

/** Lets a customer's deliveries be tried again from their first attempt. */
@Injectable()
export class ReplayDeliveries {
  constructor(private readonly queries: DeliveryQueries) {}

  /** @throws Failure not_found, for another account's delivery too; conflict while it is pending anyway */
  async one(accountId: string, id: string): Promise<DeliveryView> {
    const key = parseDeliveryId(id);
    const isReplayed = key !== null && (await this.queries.replay(accountId, key.messageId, key.version));
    const view = key && (await this.queries.find(accountId, key.messageId, key.version));
    if (!view) throw new Failure('not_found');
    if (!isReplayed)
      throw new Failure('conflict', { detail: 'the delivery is pending: it is attempted without a replay' });
    return view;
  }

  /** Those that match, the oldest messages first; `hasMore`: call again for the rest. */
  async matching(accountId: string, filter: ReplayFilter): Promise<{ queued: number; hasMore: boolean }> {
    const queued = await this.queries.replayMatching(accountId, filter, MAX_REPLAYED);
    return { queued, hasMore: queued === MAX_REPLAYED };
  }
}
