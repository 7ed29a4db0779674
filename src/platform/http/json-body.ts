import { isUtf8 } from 'node:buffer';
import { Failure } from '../../shared/failure.js';
import { emptyForm } from './form.js';
import { refuseUnsafeJson } from './text-check.js';

/**
 * Reads a JSON body (RFC 8259). An empty body is an empty object, so that what is missing is named by the schema.
 *
 * @throws Failure where it is no JSON, or holds what refuseUnsafeJson refuses
 */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return emptyForm();
  if (!isUtf8(body)) throw new Failure('invalid_request', { detail: 'The body is not valid UTF-8' });
  const value = parse(body.toString('utf8'));
  refuseUnsafeJson(value);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, which may hold a secret or a message's text.
    throw new Failure('invalid_request', { detail: 'The body is not valid JSON' });
  }
}
