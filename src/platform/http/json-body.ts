import { isUtf8 } from 'node:buffer';
import { Failure } from '../../shared/failure.js';
import { emptyForm } from './form.js';
import { refuseUnsafeJson } from './text-check.js';

/**
 * Reads a JSON body (RFC 8259). An empty body is an empty object, so that what is missing is named by the schema.
 *
 * @param edit what becomes of the text before it is read
 * @throws Failure where it is no JSON, or holds what refuseUnsafeJson refuses
 */
export function parseJsonBody(body: Buffer, edit: (text: string) => string = String): unknown {
  if (body.length === 0) return emptyForm();
  if (!isUtf8(body)) throw new Failure('invalid_request', { detail: 'The body is not valid UTF-8' });
  const value = parse(edit(body.toString('utf8')));
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
