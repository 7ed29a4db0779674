import type { FastifyRequest } from 'fastify';
import { emptyForm, type FormFields, parseFormBody, parseQuery } from '../../platform/http/form.js';
import { parseJsonBody } from '../../platform/http/json-body.js';
import { refuseUnsafeText } from '../../platform/http/text-check.js';
import { Failure } from '../../shared/failure.js';
import { dialectOf } from './dialect.js';

export const FORM = 'application/x-www-form-urlencoded';
export const JSON_TYPE = 'application/json';

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;

/** What was wrong with a query, by what stands in its place: the router's parser must never throw. */
const faults = new WeakMap<object, unknown>();

/** The router's parser of queries; readContent tells what it could not read. */
export function parseQueryLater(query: string): FormFields {
  try {
    return parseQuery(query);
  } catch (error) {
    const nothing = emptyForm();
    faults.set(nothing, error);
    return nothing;
  }
}

/**
 * Reads what the client sent, once it is known who it is: checks the path's parameters and the query, and puts the
 * parsed body in the place of its bytes. A Twilio-compatible route reads forms, a native one JSON, any other both.
 *
 * @throws Failure that names the parameter at fault
 */
export function readContent(request: FastifyRequest): void {
  readParameters(request);
  const { body } = request;
  if (body === undefined) {
    if (request.method !== 'GET' && request.method !== 'HEAD') request.body = emptyForm();
  } else if (Buffer.isBuffer(body)) {
    request.body = parseBody(request, body);
  }
}

/** The path's parameters and the query, without the body. @throws Failure that names the parameter at fault */
export function readParameters(request: FastifyRequest): void {
  const params = request.params as Record<string, string>;
  for (const name in params) refuseUnsafeText(params[name] ?? '', name);
  const fault = faults.get(request.query as object);
  if (fault) throw fault;
}

function parseBody(request: FastifyRequest, body: Buffer): unknown {
  const contentType = request.headers['content-type'] ?? '';
  const dialect = dialectOf(request.url);
  const isForm = contentType.toLowerCase().startsWith(FORM);
  if (body.length === 0) return emptyForm();
  if (dialect === 'twilio' && !isForm) throw unsupported(`Send ${FORM} to this route`);
  if (dialect === 'native' && isForm) throw unsupported(`Send ${JSON_TYPE} to this route`);
  const charset = contentType.includes(';') ? CHARSET.exec(contentType)?.[1] : undefined;
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) throw unsupported('Send the body in UTF-8');
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw unsupported('Send the body without a Content-Encoding');
  return isForm ? parseFormBody(body) : parseJsonBody(body);
}

function unsupported(detail: string): Failure {
  return new Failure('unsupported_media_type', { detail });
}
