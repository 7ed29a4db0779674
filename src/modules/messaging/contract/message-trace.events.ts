import { isSampled, type SpanRecord, spanIdOf, stageSpan, traceIdOf } from '../../../shared/traceparent.js';

// How the events of a message are told as a trace: published beside them, for whoever hears of messages and adds to theirs.

/** The stage of a request's trace that stands for its message; whatever is done for the message is a stage of it. */
export const MESSAGE_STAGE = 'messaging.message';
/** A message is slow when it is final so long after it could be sent; its trace is kept. */
export const SLOW_MESSAGE_MS = 60_000;

const BAD = ['undelivered', 'failed'];

/** What is known of a message when its trace is told. */
export interface TracedMessage {
  readonly traceparent: string;
  readonly messageSid: string;
  readonly accountSid: string;
  /** Milliseconds since 1970. */
  readonly acceptedMs: number;
  readonly endedMs: number;
  readonly status: string;
  readonly errorCode: number | null;
}

/**
 * The span of a message, from accepted to its end. Where its request was not sampled, there is no span of the request that
 * it could belong to: one that says what is left of it comes first.
 */
export function messageSpans(message: TracedMessage): SpanRecord[] {
  const { traceparent, messageSid, accountSid, acceptedMs: startMs, endedMs: endMs, status, errorCode } = message;
  const sids = { 'trunkline.message.sid': messageSid, 'trunkline.account.sid': accountSid };
  const code: Record<string, number> = errorCode === null ? {} : { 'trunkline.error_code': errorCode };
  const span = stageSpan(traceparent, MESSAGE_STAGE, null, {
    name: MESSAGE_STAGE,
    kind: 'internal',
    startMs,
    endMs,
    attributes: { ...sids, 'trunkline.message.status': status, ...code },
    error: BAD.includes(status) ? String(errorCode ?? status) : null,
  });
  if (isSampled(traceparent)) return [span];
  const request: SpanRecord = {
    traceId: traceIdOf(traceparent),
    spanId: spanIdOf(traceparent),
    parentSpanId: null,
    name: 'messaging.accept',
    kind: 'server',
    startMs,
    endMs: startMs,
    attributes: { ...sids, 'trunkline.trace.from_log': true },
    error: null,
  };
  return [request, span];
}
