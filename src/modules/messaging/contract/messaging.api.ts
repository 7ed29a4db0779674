import { z } from 'zod';

/** Messages by the instant in their SIDs: `from` inclusive, `to` exclusive. */
export const messageRange = z.object({ from: z.iso.datetime(), to: z.iso.datetime() });
export type MessageRange = z.infer<typeof messageRange>;

export const messageBuckets = messageRange.extend({ bucketMs: z.int().min(1000) });

const line = z.object({ count: z.int(), sumMicros: z.int(), hash: z.string() });

/**
 * Messages of a range by what must be true of their charge: `open` (pending), `charged` (delivered, undelivered),
 * `free` (failed, canceled); and, of those with a callback URL, the status changes that a webhook is owed.
 */
export const messageDigest = z.object({
  from: z.iso.datetime(),
  open: line,
  charged: line,
  free: line,
  /** Those that a carrier accepted. */
  carried: line,
  callbacks: z.object({ count: z.int(), hash: z.string() }),
});
export type MessageDigest = z.infer<typeof messageDigest>;

export const listMessagesInput = messageRange.extend({ after: z.string().nullable(), limit: z.int().min(1).max(1000) });
export const auditedMessage = z.object({
  sid: z.string(),
  accountSid: z.string(),
  status: z.string(),
  charge: z.enum(['open', 'charged', 'free']),
  priceMicros: z.int(),
  carried: z.boolean(),
  /** Versions of the message whose event is owed to a webhook. */
  callbackVersions: z.array(z.int()),
  changedAt: z.iso.datetime(),
});
export type AuditedMessage = z.infer<typeof auditedMessage>;

export const historyCheck = z.object({
  messages: z.int(),
  violations: z.array(z.object({ sid: z.string(), detail: z.string() })),
});
export type HistoryCheck = z.infer<typeof historyCheck>;

export const receivedTextsInput = z.array(z.object({ accountSid: z.string(), messageSid: z.string() })).max(1000);
export const receivedText = z.object({
  messageSid: z.string(),
  /** Empty where it was erased. */
  body: z.string(),
});
export type ReceivedText = z.infer<typeof receivedText>;

/** At most so many answers to one incoming message. */
export const MAX_REPLIES = 10;
export const repliesInput = z.object({
  accountSid: z.string(),
  /** The incoming message that is answered. */
  messageSid: z.string(),
  traceparent: z.string().nullable(),
  replies: z
    .array(
      z.object({
        /** Null: to whoever wrote, from the number that was written to. */
        to: z.string().nullable(),
        from: z.string().nullable(),
        body: z.string(),
        statusCallback: z.string().nullable(),
      }),
    )
    .max(MAX_REPLIES),
});
export type RepliesInput = z.infer<typeof repliesInput>;
export const replyResult = z.object({
  /** Null where it was refused, for `errorCode`. */
  messageId: z.string().nullable(),
  errorCode: z.int().nullable(),
});
export type ReplyResult = z.infer<typeof replyResult>;

/** What messaging offers to those above it: what came in and the answers to it, and its messages by range for the audit. */
export abstract class MessagingApi {
  /** The texts of incoming messages, in any order; those that are unknown or deleted are left out. */
  abstract receivedTexts(messages: z.infer<typeof receivedTextsInput>): Promise<ReceivedText[]>;

  /**
   * Sends answers to an incoming message, charged like every message, each once for its place among them, however often it is
   * called: one that was sent stays as it was. Results in the order of the answers.
   *
   * @throws Failure `unavailable`: some may have been sent; to be repeated
   */
  abstract reply(input: RepliesInput): Promise<ReplyResult[]>;

  /** Counts, sums and hashes of the messages of a range, a line for each bucket that holds any, in one scan. */
  abstract digest(input: z.infer<typeof messageBuckets>): Promise<MessageDigest[]>;

  /** The messages whose SIDs lie in a range, in the order of their SIDs, from after one. */
  abstract listMessages(input: z.infer<typeof listMessagesInput>): Promise<AuditedMessage[]>;

  /** Checks each message of a range against its own events and deadline, and each idempotency key against its message. */
  abstract checkHistories(range: MessageRange): Promise<HistoryCheck>;
}

/** The schemas of each call's argument and result: what is checked where the contract crosses a network. */
export const messagingContract = {
  receivedTexts: { input: receivedTextsInput, output: z.array(receivedText) },
  reply: { input: repliesInput, output: z.array(replyResult) },
  digest: { input: messageBuckets, output: z.array(messageDigest) },
  listMessages: { input: listMessagesInput, output: z.array(auditedMessage) },
  checkHistories: { input: messageRange, output: historyCheck },
} satisfies Record<keyof MessagingApi, { input: z.ZodType; output: z.ZodType }>;
