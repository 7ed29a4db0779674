import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestIdOf } from '../../platform/http/request-id.js';
import { joinTrace } from '../../platform/http/trace-context.js';
import { Failure } from '../../shared/failure.js';
import { dialectOf } from './dialect.js';
import { errorAnswer } from './error-answer.js';

const UNAVAILABLE = new Failure('unavailable', { retryAfterSeconds: 1 });
/** The rest of a longer body is not worth reading: its connection is closed. */
const MAX_DISCARDED_BYTES = 64 * 1024;

/**
 * Answers 503 from the head of a request alone: the same answer that the routes give, without what they do for it. Its
 * body is read past, unless it is long or does not say how long it is.
 *
 * @param headers what every answer carries
 */
export function answerShed(
  request: IncomingMessage,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  publicUrl: string,
): void {
  const requestId = requestIdOf(request.headers['x-request-id']);
  const { traceparent } = request.headers;
  const answer = errorAnswer(UNAVAILABLE, { dialect: dialectOf(request.url ?? ''), publicUrl, requestId });
  response.writeHead(answer.status, {
    ...headers,
    ...answer.headers,
    'content-length': Buffer.byteLength(answer.body),
    'x-request-id': requestId,
    traceparent: joinTrace(typeof traceparent === 'string' ? traceparent : undefined),
    ...(isShort(request) ? {} : { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

function isShort({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return false;
  return Number(headers['content-length'] ?? 0) <= MAX_DISCARDED_BYTES;
}
