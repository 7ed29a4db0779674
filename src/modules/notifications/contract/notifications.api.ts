import { z } from 'zod';

/** Deliveries by the instant in their message's SID: `from` inclusive, `to` exclusive. */
export const deliveryRange = z.object({ from: z.iso.datetime(), to: z.iso.datetime() });
export type DeliveryRange = z.infer<typeof deliveryRange>;
export const deliveryBuckets = deliveryRange.extend({ bucketMs: z.int().min(1000) });

/**
 * `hash` is the exclusive-or of a hash of each (message, version) pair; `overdue` counts those that are neither delivered
 * nor dead although their next attempt is long overdue.
 */
export const deliveryDigest = z.object({
  from: z.iso.datetime(),
  count: z.int(),
  hash: z.string(),
  overdue: z.int(),
});
export type DeliveryDigest = z.infer<typeof deliveryDigest>;
export const deliveryDigestOutput = z.array(deliveryDigest);

export const listDeliveriesInput = deliveryRange.extend({
  after: z.string().nullable(),
  limit: z.int().min(1).max(1000),
});
export const auditedDelivery = z.object({
  messageSid: z.string(),
  versions: z.array(z.int()),
  /** Versions that are neither delivered nor dead although their next attempt is long overdue. */
  overdueVersions: z.array(z.int()),
});
export type AuditedDelivery = z.infer<typeof auditedDelivery>;
export const listDeliveriesOutput = z.array(auditedDelivery);

export const listDeadInput = z.object({ after: z.string().nullable(), limit: z.int().min(1).max(1001) });
export const deadDelivery = z.object({
  /** `<message SID>-<version>` */
  id: z.string(),
  messageSid: z.string(),
  reason: z.string().nullable(),
  attempts: z.int(),
  at: z.iso.datetime(),
});
export type DeadDelivery = z.infer<typeof deadDelivery>;
export const listDeadOutput = z.array(deadDelivery);

export const resolveDeadInput = z.object({ id: z.string(), action: z.enum(['retry', 'skip']) });

/** What notifications offers to those above it: its deliveries for the audit, and its dead ones for the operator. */
export abstract class NotificationsApi {
  /** Counts and hash of the (message, version) pairs that have a delivery, a line for each bucket that holds any. */
  abstract digest(input: z.infer<typeof deliveryBuckets>): Promise<DeliveryDigest[]>;

  /** The messages of a range that have deliveries, in the order of their SIDs, from after one. */
  abstract listDeliveries(input: z.infer<typeof listDeliveriesInput>): Promise<AuditedDelivery[]>;

  /** Dead deliveries over all tenants, in the order of their messages, from after one's id. */
  abstract listDead(input: z.infer<typeof listDeadInput>): Promise<DeadDelivery[]>;

  /** Lets a dead delivery be tried again from its first attempt, or drops it. False when it is not dead. */
  abstract resolveDead(input: z.infer<typeof resolveDeadInput>): Promise<boolean>;
}

/** The schemas of each call's argument and result: what is checked where the contract crosses a network. */
export const notificationsContract = {
  digest: { input: deliveryBuckets, output: deliveryDigestOutput },
  listDeliveries: { input: listDeliveriesInput, output: listDeliveriesOutput },
  listDead: { input: listDeadInput, output: listDeadOutput },
  resolveDead: { input: resolveDeadInput, output: z.boolean() },
} satisfies Record<keyof NotificationsApi, { input: z.ZodType; output: z.ZodType }>;
