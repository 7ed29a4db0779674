import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { requestIdOf } from '../../platform/http/request-id.js';
import { Failure } from '../../shared/failure.js';
import { dialectOf } from './dialect.js';
import { type ErrorAnswer, errorAnswer } from './error-answer.js';

const MAX_HEAD_LENGTH = 4_096;
const REQUEST_LINE = /^[A-Z]+ (\/[\x21-\x7e]*)/;
const REQUEST_ID = /\r\nx-request-id:[ \t]*([^\r\n]*?)[ \t]*\r\n/i;

interface ClientError extends Error {
  readonly code?: string;
  /** The bytes that could not be parsed, from the parser. */
  readonly rawPacket?: Buffer;
}

/**
 * Answers what is not even HTTP, which no request and no hook ever sees, and closes the connection. The path and the
 * request id are taken from the raw bytes where these look like a request.
 */
export function answerClientError(error: ClientError, socket: Socket, publicUrl: () => string): void {
  const open = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage;
  if (error.code !== 'ECONNRESET' && socket.writable && !open?.headersSent) {
    const head = error.rawPacket?.subarray(0, MAX_HEAD_LENGTH).toString('latin1') ?? '';
    const requestId = requestIdOf(REQUEST_ID.exec(head)?.[1]);
    const dialect = dialectOf(REQUEST_LINE.exec(head)?.[1] ?? '');
    const answer = errorAnswer(failureOf(error), { dialect, publicUrl: publicUrl(), requestId });
    socket.write(rawAnswer(answer, statusOf(error, answer), requestId));
  }
  socket.destroySoon();
}

function failureOf({ code }: ClientError): Failure {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Failure('invalid_request', { detail: 'The URL and the headers of the request are too long' });
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Failure('invalid_request', { detail: 'The request did not arrive in time' });
  }
  return new Failure('invalid_request', { detail: 'The request is not valid HTTP' });
}

/** HTTP has statuses of its own for these, which the catalogue of failures does not need. */
function statusOf({ code }: ClientError, answer: ErrorAnswer): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : answer.status;
}

function rawAnswer(answer: ErrorAnswer, status: number, requestId: string): string {
  const body = JSON.stringify({ ...JSON.parse(answer.body), status });
  const headers = { ...answer.headers, 'content-length': Buffer.byteLength(body), 'x-request-id': requestId };
  const lines = Object.entries({ ...headers, 'x-content-type-options': 'nosniff', connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`;
}
