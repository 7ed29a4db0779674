import { HttpException } from '@nestjs/common';
import { isTransientDatabaseError } from '../../platform/postgres/database.js';
import { Failure, type FailureName } from '../../shared/failure.js';

const RETRY_AFTER_SECONDS = 1;
const MAX_CHAIN = 6;

const FAILURE_BY_STATUS: Readonly<Record<number, FailureName>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'payload_too_large',
  // Only a parameter that is too long for the router is answered so: nothing has such a name.
  414: 'not_found',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  503: 'unavailable',
};

/**
 * PostgreSQL's words for a value that it cannot hold: bytes that are no text (22021), a NUL or lone surrogate in JSON
 * (22P05, 22P02), a number out of range (22003), JSON nested too deep (54001).
 */
const DATA_ERRORS = new Set(['22021', '22P05', '22P02', '22003', '54001']);

/**
 * The failure that an error stands for: itself, an operational fault that passes (503), a fault of the request that the
 * framework, the HTTP server or the database found (4xx). Null for a bug.
 */
export function translateError(error: unknown): Failure | null {
  if (error instanceof Failure) return error;
  const chain = chainOf(error);
  if (chain.some(isTransientDatabaseError))
    return new Failure('unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS });
  if (chain.some(isDataError)) {
    return new Failure('invalid_request', { detail: 'A value of the request is outside of what can be stored' });
  }
  return byStatus(error);
}

/** The error and what caused it, Prisma's wrappers of a driver's error included. */
function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  let next = error;
  while (typeof next === 'object' && next !== null && chain.length < MAX_CHAIN) {
    chain.push(next);
    const { cause, meta } = next as { cause?: unknown; meta?: { driverAdapterError?: unknown } };
    next = cause ?? meta?.driverAdapterError;
  }
  return chain;
}

function isDataError(error: unknown): boolean {
  const { code, originalCode } = error as { code?: unknown; originalCode?: unknown };
  return DATA_ERRORS.has(String(originalCode ?? code));
}

function byStatus(error: unknown): Failure | null {
  const status = statusOf(error);
  if (status === null || (status >= 500 && status !== 503)) return null;
  const name = FAILURE_BY_STATUS[status] ?? 'invalid_request';
  if (name === 'unavailable') return new Failure(name, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  return new Failure(name, name === 'invalid_request' ? { detail: detailOf(error) } : {});
}

/** Only of errors that are about this request: one of a request that a handler made has a status, too. */
function statusOf(error: unknown): number | null {
  if (error instanceof HttpException) return error.getStatus();
  const { name, statusCode } = (error ?? {}) as { name?: unknown; statusCode?: unknown };
  return name === 'FastifyError' && typeof statusCode === 'number' ? statusCode : null;
}

/** The HTTP server's own words on a broken request are about its form and quote nothing of it. */
function detailOf(error: unknown): string {
  const { name, message } = ((error instanceof HttpException ? error.cause : error) ?? {}) as Partial<Error>;
  return name === 'FastifyError' && message ? message : 'The request cannot be read';
}
