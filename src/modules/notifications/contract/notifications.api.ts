import { z } from 'zod';

export const deliveryRange = z.object({ from: z.iso.datetime(), to: z.iso.datetime() });
export type DeliveryRange = z.infer<typeof deliveryRange>;

export const deliveryDigest = z.object({ count: z.int(), hash: z.string() });
export type DeliveryDigest = z.infer<typeof deliveryDigest>;

export const listDeliveriesInput = deliveryRange.extend({
  after: z.string().nullable(),
  limit: z.int().min(1).max(1000),
});
export const auditedDelivery = z.object({
  messageSid: z.string(),
  versions: z.array(z.int()),
  /** Versions that are neither delivered nor dead although their last attempt is long overdue. */
  overdueVersions: z.array(z.int()),
});
export type AuditedDelivery = z.infer<typeof auditedDelivery>;

/** What notifications offers to those above it: its deliveries, by message range, for the audit. */
export abstract class NotificationsApi {
  /** Count and hash of the (message, version) pairs that have a delivery, for messages whose SIDs lie in a range. */
  abstract digest(range: DeliveryRange): Promise<DeliveryDigest>;

  /** The messages of a range that have deliveries, in the order of their SIDs, from after one. */
  abstract listDeliveries(input: z.infer<typeof listDeliveriesInput>): Promise<AuditedDelivery[]>;
}
