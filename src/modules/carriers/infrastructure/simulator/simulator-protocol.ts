import { z } from 'zod';
import { knobsSchema } from './knobs.js';
import { inboundRequestSchema, submissionQuerySchema } from './simulated-carrier.js';

/** A carrier to simulate: what its clients prove themselves with, and the port and knobs that it had before, if it had any. */
export const carrierConfigSchema = z.strictObject({
  name: z.string(),
  type: z.enum(['smpp', 'http']),
  systemId: z.string().optional(),
  password: z.string(),
  port: z.int().min(0).max(65_535).optional(),
  knobs: knobsSchema.optional(),
});
export type CarrierConfig = z.infer<typeof carrierConfigSchema>;

const operationSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('start'), dir: z.string(), carriers: z.array(carrierConfigSchema).min(1).max(100) }),
  z.object({ kind: z.literal('get'), name: z.string() }),
  z.object({ kind: z.literal('put'), name: z.string(), knobs: z.unknown() }),
  z.object({ kind: z.literal('submissions'), name: z.string(), query: submissionQuerySchema }),
  z.object({ kind: z.literal('inbound'), name: z.string(), request: inboundRequestSchema }),
  z.object({ kind: z.literal('stop') }),
]);
export type Operation = z.input<typeof operationSchema>;

/** What the parent asks of the simulator's process. */
export const requestSchema = z.object({ id: z.int(), operation: operationSchema });

/** What the process says: the answer to a request, or a line for the log. */
export const messageSchema = z.union([
  z.strictObject({ id: z.int(), result: z.unknown() }),
  z.strictObject({ id: z.int(), error: z.string() }),
  z.strictObject({ log: z.string() }),
]);
export type ProcessMessage = z.infer<typeof messageSchema>;

export const startedSchema = z.object({ ports: z.record(z.string(), z.int()) });
