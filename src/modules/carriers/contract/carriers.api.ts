import { z } from 'zod';
import { UNKNOWN_OUTCOME_POLICIES } from '../../../shared/principal.js';

export const routeInput = z.object({ to: z.string() });
/** `queue` names the carrier that is first in line for the destination: its messages wait together. */
export const routeOutput = z.object({ queue: z.string() }).nullable();

export const submission = z.object({
  /** SID of the message: the submission's key, for ever. */
  key: z.string(),
  accountSid: z.string(),
  queue: z.string(),
  from: z.string(),
  to: z.string(),
  encoding: z.enum(['GSM-7', 'UCS-2']),
  parts: z.array(z.string()).min(1).max(255),
  /** What to do where the carrier's answer is lost. */
  unknownOutcome: z.enum(UNKNOWN_OUTCOME_POLICIES),
  /** Its account's share of a carrier's pace in this kind of message, against the weights of all that wait for it. */
  weight: z.int().min(1).max(100).default(1),
  /** Instant after which it must not be handed to a carrier any more. */
  validUntil: z.iso.datetime(),
  traceparent: z.string().nullable(),
  /** How many instances of this product the message has passed through before this one. */
  hops: z.int().min(0).default(0),
});
export type Submission = z.infer<typeof submission>;
export const submitInput = z.array(submission).max(1000);

export const withdrawInput = z.array(z.string()).max(1000);
export const withdrawOutput = z.array(z.boolean());

/**
 * `taken`: it is the carriers' now, its outcome comes as an event, unless its caller has withdrawn it. `busy`: no room
 * at present, keep it. `stranded`: keep it, and let others of its queue go first: the queue has room, but those that
 * could carry this one have none, or do not work.
 */
export const submitOutput = z.array(z.enum(['taken', 'busy', 'stranded']));
export type SubmitResult = z.infer<typeof submitOutput>[number];

/** How many more submissions each queue can take at present, in the process that holds the binds; empty elsewhere. */
export const capacityOutput = z.record(z.string(), z.int());

export const rangeInput = z.object({ from: z.iso.datetime(), to: z.iso.datetime() });
export const submissionBuckets = rangeInput.extend({ bucketMs: z.int().min(1000) });
export const submissionDigest = z.object({
  from: z.iso.datetime(),
  accepted: z.object({ count: z.int(), hash: z.string() }),
  rejected: z.object({ count: z.int(), hash: z.string() }),
  unknown: z.object({ count: z.int(), hash: z.string() }),
});
export type SubmissionDigest = z.infer<typeof submissionDigest>;

export const listSubmissionsInput = rangeInput.extend({
  after: z.string().nullable(),
  limit: z.int().min(1).max(1000),
});
export const submissionRow = z.object({
  key: z.string(),
  accountSid: z.string(),
  carrier: z.string(),
  outcome: z.enum(['accepted', 'rejected', 'unknown']),
  answeredAt: z.iso.datetime(),
});
export type SubmissionRow = z.infer<typeof submissionRow>;

export const inboundContentsInput = z.array(z.string()).max(1000);
/** A message that a carrier brought in. */
export const inboundContent = z.object({
  inboundId: z.string(),
  from: z.string(),
  to: z.string(),
  /** Empty where there is none, or none any more. */
  text: z.string(),
  /** `UCS-2` where it came so, or has characters that the GSM 7-bit alphabet lacks. */
  encoding: z.enum(['GSM-7', 'UCS-2']),
  /** How many parts of it came. */
  segments: z.int(),
  receivedAt: z.iso.datetime(),
});
export type InboundContent = z.infer<typeof inboundContent>;

/**
 * What carriers offers: the way to a destination, and the hand-over to it. A submission is known by the key its
 * caller gave it and is handed to a carrier once; where that cannot be known, its outcome says so.
 */
export abstract class CarriersApi {
  /** The queue of the carrier that is first in line for a destination (E.164); null where there is no route. */
  abstract route(input: z.infer<typeof routeInput>): Promise<z.infer<typeof routeOutput>>;

  /** See capacityOutput. */
  abstract capacity(): Promise<z.infer<typeof capacityOutput>>;

  /**
   * Takes submissions. Each key is durable before its first byte leaves; a key that is known already, or withdrawn, is
   * `taken` and not sent. Answers stand in the order of the items.
   */
  abstract submit(items: readonly Submission[]): Promise<SubmitResult[]>;

  /**
   * Takes keys back, for ever and before or after they are submitted. True: no carrier is ever given it from now on, nor
   * holds it; the answer to a repetition is the same. False: it is taken and unanswered, or answered; nothing changes,
   * its outcome comes, or it is given back and can be withdrawn then. In the order of the keys.
   */
  abstract withdraw(keys: readonly string[]): Promise<boolean[]>;

  /** Counts and hashes of the answered submissions of a range by outcome, a line for each bucket that holds any. */
  abstract digest(input: z.infer<typeof submissionBuckets>): Promise<SubmissionDigest[]>;

  /** The answered submissions whose keys lie in a range, in the order of their keys, from after one. */
  abstract listSubmissions(input: z.infer<typeof listSubmissionsInput>): Promise<SubmissionRow[]>;

  /**
   * What came in from phones, by the ids of `carriers.inbound-received.v1`, at most 1000 at a time: those that exist, in
   * any order. They are kept for 90 days.
   */
  abstract inboundContents(inboundIds: readonly string[]): Promise<InboundContent[]>;

  /** Empties the texts of what came in from phones, for good, at most 1000 at a time. What does not exist is passed over. */
  abstract redactInbound(inboundIds: readonly string[]): Promise<void>;
}

/** Called when a queue has room again, in the process that holds the binds. Best effort: also poll. */
export abstract class CapacitySignal {
  abstract onRoom(listener: () => void): () => void;
}

/** The schemas of each call's argument and result: what is checked where the contract crosses a network. */
export const carriersContract = {
  route: { input: routeInput, output: routeOutput },
  capacity: { input: z.void(), output: capacityOutput },
  submit: { input: submitInput, output: submitOutput },
  withdraw: { input: withdrawInput, output: withdrawOutput },
  digest: { input: submissionBuckets, output: z.array(submissionDigest) },
  listSubmissions: { input: listSubmissionsInput, output: z.array(submissionRow) },
  inboundContents: { input: inboundContentsInput, output: z.array(inboundContent) },
  redactInbound: { input: inboundContentsInput, output: z.void() },
} satisfies Record<keyof CarriersApi, { input: z.ZodType; output: z.ZodType }>;
