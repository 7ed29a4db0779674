import { FAILURES, Failure } from '../../shared/failure.js';
import type { Dialect } from './dialect.js';
import { DOCUMENTED_FAILURES, INTERNAL_ERROR } from './error-status.js';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

export interface ErrorSurroundings {
  readonly dialect: Dialect;
  /** Base of absolute URLs, without a slash at the end. */
  readonly publicUrl: string;
  readonly requestId: string;
}

interface ErrorFacts {
  readonly status: number;
  readonly code: number;
  readonly title: string;
  readonly message: string;
  readonly errors: readonly { field: string; message: string }[];
}

/**
 * The answer to a request that failed: Twilio's four members and no other on its dialect (another one makes its SDK
 * raise a different class), RFC 9457 problem details elsewhere.
 *
 * @param failure null for what is no failure of the catalogue: the client learns nothing of it
 */
export function errorAnswer(failure: Failure | null, around: ErrorSurroundings): ErrorAnswer {
  const facts = failure ? factsOf(failure) : INTERNAL_FACTS;
  const retryAfter = failure?.options.retryAfterSeconds;
  const isTwilio = around.dialect === 'twilio';
  return {
    status: facts.status,
    headers: {
      'content-type': isTwilio ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) }),
    },
    body: JSON.stringify(isTwilio ? twilioBody(facts, around) : problemBody(facts, around)),
  };
}

/** Address of the documentation of an error code. */
export function errorDocumentation(publicUrl: string, code: number): string {
  return `${publicUrl}/docs/errors/${code}`;
}

const INTERNAL_FACTS: ErrorFacts = {
  status: INTERNAL_ERROR.status,
  code: INTERNAL_ERROR.code,
  title: INTERNAL_ERROR.message,
  message: INTERNAL_ERROR.message,
  errors: [],
};

function factsOf(failure: Failure): ErrorFacts {
  const { field, errors } = failure.options;
  const message = nameField(failure.message, field);
  return {
    status: DOCUMENTED_FAILURES[failure.failure].status,
    code: failure.code,
    title: FAILURES[failure.failure].message,
    message,
    errors: errors ?? (field === undefined ? [] : [{ field, message: failure.message }]),
  };
}

/** A message that does not name the parameter at fault is given its name. */
function nameField(message: string, field: string | undefined): string {
  return field === undefined || message.includes(field) ? message : `${message} ('${field}')`;
}

function twilioBody({ code, message, status }: ErrorFacts, { publicUrl }: ErrorSurroundings): object {
  return { code, message, more_info: errorDocumentation(publicUrl, code), status };
}

function problemBody(facts: ErrorFacts, { publicUrl, requestId }: ErrorSurroundings): object {
  return {
    type: errorDocumentation(publicUrl, facts.code),
    title: facts.title,
    status: facts.status,
    detail: facts.message,
    code: facts.code,
    request_id: requestId,
    ...(facts.errors.length > 0 ? { errors: facts.errors } : {}),
  };
}
