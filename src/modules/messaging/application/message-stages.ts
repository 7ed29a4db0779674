import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import { idTimeMs } from '../../../shared/sid.js';
import { type SpanRecord, stageSpan } from '../../../shared/traceparent.js';
import { receiptReceived, submissionAnswered } from '../../carriers/contract/carriers.events.js';
import { MESSAGE_STAGE, messageSpans } from '../contract/message-trace.events.js';
import type { messageAccepted, messageFailed } from '../contract/messaging.events.js';

const FACT = /^messaging\.message-([a-z]+)\.v\d+$/;

/**
 * The spans of a message that is final, wholly from the log: the message, its wait for a carrier, what the carrier did with
 * it, its receipt.
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
  const answer = causes.find((event) => event.type === submissionAnswered.type);
  const receipt = causes.find((event) => event.type === receiptReceived.type);
  return [
    ...messageSpans({ traceparent, messageSid, accountSid, acceptedMs, endedMs, status, errorCode }),
    stageOf(traceparent, 'messaging.queue', 'internal', acceptedMs, handedMs(answer) ?? endedMs),
    ...(answer ? [submitted(traceparent, answer)] : []),
    ...(answer && receipt ? [receipted(traceparent, answer, receipt)] : []),
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
