import { z } from 'zod';
import { knobsSchema } from './knobs.js';

/** One part of a message as a simulated carrier was given it. */
export const submissionSchema = z.object({
  /** 1 for the carrier's first submission ever, then without gaps. */
  sequence: z.int(),
  /** The carrier's id of it, never given twice. */
  id: z.string(),
  destination: z.string(),
  source: z.string(),
  text: z.string(),
  time: z.iso.datetime(),
  /** Where the text is one part of several: the reference that they share, which one it is, and of how many. */
  reference: z.int().nullable(),
  part: z.int().nullable(),
  parts: z.int().nullable(),
});
export type Submission = z.infer<typeof submissionSchema>;

export const submissionPageSchema = z.object({ data: z.array(submissionSchema), hasMore: z.boolean() });
export type SubmissionPage = z.infer<typeof submissionPageSchema>;

export const MAX_SUBMISSIONS_PER_PAGE = 1000;

/** `after` is the sequence number of the last submission of the page before. */
export const submissionQuerySchema = z.strictObject({
  after: z.int().min(0).default(0),
  limit: z.int().min(1).max(MAX_SUBMISSIONS_PER_PAGE),
});
export type SubmissionQuery = z.input<typeof submissionQuerySchema>;

/** What a session hands over at a time is bounded by its window. */
const MAX_INBOUND_CHARACTERS = 10_000;
/** What an address of a message holds (SMPP 3.4, 4.6.1), with a `+` for an international number. */
const address = z.string().regex(/^(?:\+\d{1,20}|[ -~]{1,20})$/, 'must be 1 to 20 ASCII characters');

/** A message that a phone is to send. */
export const inboundRequestSchema = z.strictObject({
  from: address,
  to: address,
  text: z.string().max(MAX_INBOUND_CHARACTERS),
  /** How the carrier hands over several parts. */
  concatenation: z.enum(['udh', 'sar', 'payload']).default('udh'),
});
export type InboundRequest = z.infer<typeof inboundRequestSchema>;

/** What of it the client has confirmed: so many messages, in this encoding. */
export const sentInboundSchema = z.object({ encoding: z.enum(['GSM-7', 'UCS-2']), parts: z.int() });
export type SentInbound = z.infer<typeof sentInboundSchema>;

/** Counted since the process started, except what is pending or open now. */
export const countersSchema = z.object({
  /** Submissions that arrived. */
  submitted: z.int(),
  /** Answers to them, whatever they said. */
  answered: z.int(),
  accepted: z.int(),
  throttled: z.int(),
  failed: z.int(),
  /** Receipts sent, repeated ones included. */
  receipts: z.int(),
  receipts_confirmed: z.int(),
  /** Receipts not sent because receipt_loss_rate said so. */
  receipts_lost: z.int(),
  /** Receipts given up because the client refused them for good or too often. */
  receipts_refused: z.int(),
  receipts_pending: z.int(),
  /** Bound sessions; over HTTP, open connections. */
  sessions: z.int(),
});
export type Counters = z.infer<typeof countersSchema>;

export const carrierSnapshotSchema = z.object({
  name: z.string(),
  type: z.enum(['smpp', 'http']),
  port: z.int(),
  knobs: knobsSchema,
  counters: countersSchema,
});
export type CarrierSnapshot = z.infer<typeof carrierSnapshotSchema>;

/** What the simulator asks of a simulated carrier, whatever it speaks. */
export interface SimulatedCarrier {
  readonly port: number;
  snapshot(): CarrierSnapshot;
  /** Changes some knobs. Throws KnobError. */
  put(change: unknown): CarrierSnapshot;
  submissions(query: SubmissionQuery): SubmissionPage;
  /** Lets a phone send a message. Rejects with NotHandedOver where the client does not take it. */
  inbound(request: InboundRequest): Promise<SentInbound>;
  stop(): Promise<void>;
}
