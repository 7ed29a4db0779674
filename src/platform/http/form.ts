import { isAscii, isUtf8 } from 'node:buffer';
import { Failure } from '../../shared/failure.js';
import { refuseUnsafeText, shownName } from './text-check.js';

/** Parameters in one form or query. */
export const MAX_PARAMETERS = 1_000;
/** Characters in the name of a parameter. */
export const MAX_NAME_LENGTH = 128;

/** Parameters by name; a repeated one is an array in the order given. Has no inherited members at all. */
export type FormFields = Record<string, string | string[]>;

/**
 * An object that inherits nothing, so that no parameter's name means anything to it. Unlike Object.create(null), what a
 * constructor makes keeps the layout that the engine reads fastest.
 */
class Fields {
  [name: string]: string | string[];
}
Object.setPrototypeOf(Fields.prototype, null);
Reflect.deleteProperty(Fields.prototype, 'constructor');

/** No parameters. */
export function emptyForm(): FormFields {
  return new Fields();
}

/**
 * Reads an `application/x-www-form-urlencoded` body (WHATWG URL standard, but strict: a broken percent-encoding or
 * invalid UTF-8 is an error and not a replacement character). Bytes above ASCII may stand unencoded.
 *
 * @throws Failure naming the parameter at fault
 */
export function parseFormBody(body: Buffer): FormFields {
  if (isAscii(body)) return parseForm(body.toString('latin1'));
  if (isUtf8(body)) return parseForm(body.toString('utf8'));
  const broken = body
    .toString('latin1')
    .split('&', MAX_PARAMETERS)
    .find((pair) => !isUtf8(Buffer.from(pair, 'latin1')));
  throw badEncoding((broken ?? '').split('=', 1)[0] ?? '', 'is not valid UTF-8');
}

/** Reads the query of a URL as Node gives it, without the question mark: one character per byte. */
export function parseQuery(query: string): FormFields {
  for (let i = 0; i < query.length; i++) {
    if (query.charCodeAt(i) > 0x7f) return parseFormBody(Buffer.from(query, 'latin1'));
  }
  return parseForm(query);
}

function parseForm(text: string): FormFields {
  const fields = emptyForm();
  let count = 0;
  let at = 0;
  while (at < text.length) {
    let end = text.indexOf('&', at);
    if (end === -1) end = text.length;
    if (end > at) {
      count += 1;
      if (count > MAX_PARAMETERS) {
        throw new Failure('invalid_request', { detail: `There are more than ${MAX_PARAMETERS} parameters` });
      }
      addPair(fields, text, at, end);
    }
    at = end + 1;
  }
  return fields;
}

function addPair(fields: FormFields, text: string, start: number, end: number): void {
  let equals = text.indexOf('=', start);
  if (equals === -1 || equals > end) equals = end;
  const rawName = text.slice(start, equals);
  const name = decode(rawName, rawName);
  const value = equals < end ? decode(text.slice(equals + 1, end), name) : '';
  if (name.length > MAX_NAME_LENGTH) {
    throw badEncoding(name, `is longer than ${MAX_NAME_LENGTH} characters: no parameter is called so`);
  }
  refuseUnsafeText(name, name);
  refuseUnsafeText(value, name);
  const earlier = fields[name];
  if (earlier === undefined) fields[name] = value;
  else if (typeof earlier === 'string') fields[name] = [earlier, value];
  else earlier.push(value);
}

function decode(raw: string, name: string): string {
  const spaced = raw.includes('+') ? raw.replaceAll('+', ' ') : raw;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw badEncoding(name, 'has a broken percent-encoding or is not valid UTF-8');
  }
}

function badEncoding(name: string, fault: string): Failure {
  const field = shownName(name);
  return new Failure('invalid_request', { field, detail: `'${field}' ${fault}` });
}
