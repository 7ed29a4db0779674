import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import {
  type AuditedDelivery,
  type DeadDelivery,
  type DeliveryDigest,
  type deliveryBuckets,
  type listDeadInput,
  type listDeliveriesInput,
  NotificationsApi,
  type resolveDeadInput,
} from '../contract/notifications.api.js';
import { DeliveryQueries, parseDeliveryId } from '../infrastructure/delivery-queries.js';

/** Notifications' contract, in this process. */
@Injectable()
export class NotificationsFacade extends NotificationsApi {
  constructor(private readonly queries: DeliveryQueries) {
    super();
  }

  digest(input: z.infer<typeof deliveryBuckets>): Promise<DeliveryDigest[]> {
    return this.queries.digest(input);
  }

  listDeliveries(input: z.infer<typeof listDeliveriesInput>): Promise<AuditedDelivery[]> {
    return this.queries.listForAudit(input);
  }

  listDead(input: z.infer<typeof listDeadInput>): Promise<DeadDelivery[]> {
    return this.queries.dead(input);
  }

  async resolveDead({ id, action }: z.infer<typeof resolveDeadInput>): Promise<boolean> {
    const parsed = parseDeliveryId(id);
    return parsed !== null && this.queries.resolveDead(parsed.messageId, parsed.version, action);
  }
}
