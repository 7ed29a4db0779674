import { Injectable } from '@nestjs/common';
import type { DeliveryState } from '../domain/delivery.js';
import { DeliveryQueries, type DeliveryView } from '../infrastructure/delivery-queries.js';

export type { DeliveryView };

/** Reads an account's deliveries. */
@Injectable()
export class ListDeliveries {
  constructor(private readonly queries: DeliveryQueries) {}

  page(
    accountId: string,
    state: DeliveryState | null,
    after: { messageId: string; version: number } | null,
    limit: number,
  ): Promise<DeliveryView[]> {
    return this.queries.list(accountId, state, after, limit);
  }
}
