import { idTimeMs } from '../../../shared/sid.js';
import { isSampled, type SpanRecord, stageSpan, stageTraceparent } from '../../../shared/traceparent.js';
import { MESSAGE_STAGE, messageSpans } from '../../messaging/contract/message-trace.events.js';
import { type AttemptResult, type Delivery, errorOf, originOf } from '../domain/delivery.js';

/** What an attempt tells its endpoint: its own place in the trace where that is sampled, the request's otherwise. */
export function attemptTraceparent(traceparent: string, delivery: Delivery): string {
  return isSampled(traceparent) ? stageTraceparent(traceparent, stageOf(delivery)) : traceparent;
}

/** The span of an attempt that has just ended. The URL's path and query are the customer's: they stay out. */
export function attemptSpan(
  traceparent: string,
  delivery: Delivery,
  result: AttemptResult,
  endMs: number,
  tookMs: number,
): SpanRecord {
  const { callback, url, attempts } = delivery;
  return stageSpan(traceparent, stageOf(delivery), MESSAGE_STAGE, {
    name: `notifications.callback ${callback.status}`,
    kind: 'client',
    startMs: endMs - tookMs,
    endMs,
    attributes: {
      'http.request.method': 'POST',
      'http.request.resend_count': attempts,
      'server.address': originOf(url).replace(/^.*\/\/(?:.*@)?/, ''),
      'trunkline.message.sid': callback.messageSid,
      'trunkline.message.status': callback.status,
      ...(result.kind === 'response' ? { 'http.response.status_code': result.status } : {}),
    },
    error: errorOf(result),
  });
}

/** The spans of the message of a delivery that died, as far as the delivery knows it; see messageSpans. */
export function deadSpans(traceparent: string, { callback, messageId }: Delivery, endedMs: number): SpanRecord[] {
  const { messageSid, accountSid, status } = callback;
  const errorCode = callback.kind === 'inbound' ? null : callback.errorCode;
  return messageSpans({
    traceparent,
    messageSid,
    accountSid,
    status,
    errorCode,
    acceptedMs: idTimeMs(messageId),
    endedMs,
  });
}

function stageOf({ version, attempts }: Delivery): string {
  return `notifications.callback/${version}/${attempts + 1}`;
}
