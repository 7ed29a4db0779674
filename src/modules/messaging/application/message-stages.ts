import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import { idTimeMs } from '../../../shared/sid.js';
import { type SpanRecord, stageSpan } from '../../../shared/traceparent.js';
import { receiptReceived, submissionAnswered } from '../../carriers/contract/carriers.events.js';
import { MESSAGE_STAGE, messageSpans } from '../contract/message-trace.events.js';
import {
  type messageAccepted,
  type messageFailed,
  messageQueued,
  messageScheduled,
} from '../contract/messaging.events.js';

const FACT = /^messaging\.message-([a-z]+)\.v\d+$/;

/**
 * The spans of a message that is final, wholly from the log: the message, the wait for its time where it was scheduled, that
 * for a carrier, what the carrier did with it, its receipt.
 *
 * @param own the message's events up to its final one, oldest first
 * @param causes the carriers' events that caused them, those that are still there
 */
export function messageStages(own: readonly StoredEvent[], causes: readonly StoredEvent[]): SpanRecord[] {
  const final = own.at(-1);
  const traceparent = final?.traceparent;
  if (!final || !traceparent) return [];
  const { messageSid, accountSid } = final.data as EventData<typeof messageAccepted>;
  const { errorCode = null } = final.data as Partial<EventData<typeof messageFailed>>;
  const acceptedMs = own[0]!.version === 1 ? own[0]!.occurredAt.getTime() : idTimeMs(final.streamId);
  const endedMs = final.occurredAt.getTime();
  const status = FACT.exec(final.type)?.[1] ?? 'unknown';
  const answer = causes.findLast((event) => event.type === submissionAnswered.type);
  const receipt = causes.find((event) => event.type === receiptReceived.type);
  return [
    ...messageSpans({ traceparent, messageSid, accountSid, acceptedMs, endedMs, status, errorCode }),
    ...waits(traceparent, own, acceptedMs, handedMs(answer) ?? endedMs),
    ...(answer ? [submitted(traceparent, answer)] : []),
    ...(answer && receipt ? [receipted(traceparent, answer, receipt)] : []),
  ];
}

/** Since when a message waited for a carrier: since it was accepted, or since its time came. */
export function waitingSinceMs(own: readonly StoredEvent[]): number | null {
  const first = own[0];
  if (!first) return null;
  const queued = own.find((event) => event.type === messageQueued.type);
  if (queued) return queued.occurredAt.getTime();
  // Its time had not come when it ended.
  if (first.type === messageScheduled.type) return null;
  return first.version === 1 ? first.occurredAt.getTime() : idTimeMs(first.streamId);
}

function waits(traceparent: string, own: readonly StoredEvent[], acceptedMs: number, handedMs: number): SpanRecord[] {
  const isScheduled = own[0]!.type === messageScheduled.type;
  const sinceMs = waitingSinceMs(own);
  const dueMs = sinceMs ?? handedMs;
  return [
    ...(isScheduled ? [stageOf(traceparent, 'messaging.schedule', 'internal', acceptedMs, dueMs)] : []),
    ...(sinceMs === null ? [] : [stageOf(traceparent, 'messaging.queue', 'internal', sinceMs, handedMs)]),
  ];
}

/** When it was handed to the carrier that answered: what is written is the answer, and how long it took. */
function handedMs(answer: StoredEvent | undefined): number | null {
  if (!answer) return null;
  const { answerMs = 0 } = answer.data as EventData<typeof submissionAnswered>;
  return answer.occurredAt.getTime() - answerMs;
}

function submitted(traceparent: string, answer: StoredEvent): SpanRecord {
  const { carrier, outcome, segments, errorCode } = answer.data as EventData<typeof submissionAnswered>;
  const attributes = {
    'trunkline.carrier': carrier,
    'trunkline.submission.outcome': outcome,
    'trunkline.message.segments': segments,
  };
  const [startMs, endMs] = [handedMs(answer)!, answer.occurredAt.getTime()];
  const error = outcome === 'accepted' ? null : String(errorCode ?? outcome);
  return { ...stageOf(traceparent, 'carriers.submit', 'client', startMs, endMs), attributes, error };
}

function receipted(traceparent: string, answer: StoredEvent, receipt: StoredEvent): SpanRecord {
  const { carrier, state, errorCode } = receipt.data as EventData<typeof receiptReceived>;
  const attributes = { 'trunkline.carrier': carrier, 'trunkline.receipt.state': state };
  const [startMs, endMs] = [answer.occurredAt.getTime(), receipt.occurredAt.getTime()];
  const error = state === 'undelivered' ? String(errorCode ?? state) : null;
  return { ...stageOf(traceparent, 'carriers.receipt', 'consumer', startMs, endMs), attributes, error };
}

function stageOf(
  traceparent: string,
  name: string,
  kind: SpanRecord['kind'],
  startMs: number,
  endMs: number,
): SpanRecord {
  return stageSpan(traceparent, name, MESSAGE_STAGE, { name, kind, startMs, endMs, attributes: {}, error: null });
}
