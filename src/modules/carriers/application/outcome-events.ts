import type { NewEvent } from '../../../shared/define-event.js';
import { sidOf } from '../../../shared/sid.js';
import { receiptReceived, submissionAnswered, submissionReturned } from '../contract/carriers.events.js';
import type { CarrierReceipt } from '../domain/carrier-connection.js';
import type { AnsweredSubmission, Intended, SegmentMatch } from '../domain/submission.js';

/** The first answer to a submission: version 1 of its stream, so that there is one. */
export function answerEvent(submission: AnsweredSubmission): NewEvent {
  return {
    type: submissionAnswered.type,
    streamId: submission.key,
    version: 1,
    tenantId: submission.accountId,
    data: {
      key: sidOf('SM', submission.key),
      carrier: submission.carrier,
      outcome: submission.outcome,
      errorCode: submission.errorCode,
      segments: submission.segments,
      ...(submission.answerMs === undefined ? {} : { answerMs: submission.answerMs }),
    },
  };
}

/**
 * A submission that was given back.
 *
 * @param streamId a stream of its own: a submission may be given back any number of times before its first answer
 */
export function returnEvent(item: Intended, streamId: string, reason: string): NewEvent {
  return {
    type: submissionReturned.type,
    streamId,
    version: 1,
    tenantId: item.accountId,
    data: { key: sidOf('SM', item.key), reason },
  };
}

/** Two versions for each segment, one for whatever is not final and one for what is: a repetition finds its own taken. */
export function receiptEvent(
  match: SegmentMatch,
  receipt: Pick<CarrierReceipt, 'state' | 'errorCode' | 'doneDate'>,
): NewEvent {
  return {
    type: receiptReceived.type,
    streamId: match.key,
    version: 2 * match.segment + (receipt.state === 'enroute' ? 0 : 1),
    tenantId: match.accountId,
    data: {
      key: sidOf('SM', match.key),
      carrier: match.carrier,
      segment: match.segment,
      segments: match.segments,
      state: receipt.state,
      errorCode: receipt.errorCode,
      doneDate: receipt.doneDate,
    },
  };
}

/** The first event of each stream and version. */
export function distinctEvents(events: readonly NewEvent[]): NewEvent[] {
  const first = new Map<string, NewEvent>();
  for (const event of events) {
    const key = `${event.streamId}/${event.version}`;
    if (!first.has(key)) first.set(key, event);
  }
  return [...first.values()];
}
