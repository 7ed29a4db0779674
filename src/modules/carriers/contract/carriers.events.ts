import { z } from 'zod';
import { defineEvent } from '../../../shared/define-event.js';

/**
 * A carrier answered a submission, or its outcome became certain otherwise.
 * `accepted`: the carrier has it. `rejected`: it will not take it, `errorCode` says why (Twilio's message error codes).
 * `unknown`: the answer is lost, the carrier may have it.
 */
export const submissionAnswered = defineEvent(
  'carriers.submission-answered.v1',
  z.object({
    key: z.string(),
    carrier: z.string(),
    outcome: z.enum(['accepted', 'rejected', 'unknown']),
    errorCode: z.int().nullable(),
    /** Into how many the carrier took it: 1 where it took all segments of a message in one piece. */
    segments: z.int(),
    /** From its last hand-over to the answer, or until none was waited for any more, milliseconds. */
    answerMs: z.int().optional(),
  }),
);

/** A taken submission is given back: no carrier has it, and none could take it. It may be submitted again. */
export const submissionReturned = defineEvent(
  'carriers.submission-returned.v1',
  z.object({ key: z.string(), reason: z.string() }),
);

/** A carrier reported on one of the segments into which it took a submission. `final` states: delivered, undelivered. */
export const receiptReceived = defineEvent(
  'carriers.receipt-received.v1',
  z.object({
    key: z.string(),
    carrier: z.string(),
    segment: z.int(),
    segments: z.int(),
    state: z.enum(['enroute', 'delivered', 'undelivered']),
    errorCode: z.int().nullable(),
    /** `done date` of the receipt as the carrier wrote it, YYMMDDhhmm. */
    doneDate: z.string().nullable(),
  }),
);

/**
 * A message from a phone has come in whole, or as much of it as came in time. Its text is asked for with inboundContents.
 * `from` and `to` as the carrier types them: with a `+` where it says that the number is international.
 */
export const inboundReceived = defineEvent(
  'carriers.inbound-received.v1',
  z.object({
    /** A UUIDv7. */
    inboundId: z.string(),
    carrier: z.string(),
    from: z.string(),
    to: z.string(),
    segments: z.int(),
    receivedAt: z.iso.datetime(),
  }),
);

/** A carrier's breaker opened, closed or lets probes through. */
export const breakerChanged = defineEvent(
  'carriers.breaker-changed.v1',
  z.object({ carrier: z.string(), state: z.enum(['closed', 'open', 'half_open']) }),
);

/** A carrier was added or changed; a route was added or removed. */
export const carrierChanged = defineEvent('carriers.carrier-changed.v1', z.object({ carrier: z.string() }));
export const routeChanged = defineEvent(
  'carriers.route-changed.v1',
  z.object({ prefix: z.string(), carrier: z.string() }),
);

export const CARRIERS_EVENTS = [
  submissionAnswered,
  submissionReturned,
  receiptReceived,
  inboundReceived,
  breakerChanged,
  carrierChanged,
  routeChanged,
];
