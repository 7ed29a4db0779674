import { createHash, timingSafeEqual } from 'node:crypto';
import type { Credentials } from '../../modules/accounts/contract/accounts.api.js';

const BASIC = /^basic +([A-Za-z0-9+/]{4,512}={0,2})$/i;
const BEARER = /^bearer +([\x21-\x7e]{1,512})$/i;
/** SID of an account or of an API key. */
const USERNAME = /^(?:AC|SK)[0-9a-fA-F]{32}$/;
const MAX_PASSWORD_LENGTH = 256;

/**
 * The credentials in an Authorization header of the Basic scheme (RFC 7617), or null where it is missing, malformed, or
 * cannot be anybody's: the user is an account SID or the SID of an API key.
 */
export function basicCredentials(header: string | undefined): Credentials | null {
  const encoded = header === undefined ? null : BASIC.exec(header);
  if (!encoded?.[1]) return null;
  const text = Buffer.from(encoded[1], 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const username = text.slice(0, Math.max(colon, 0));
  const password = text.slice(colon + 1);
  if (!USERNAME.test(username)) return null;
  return password !== '' && password.length <= MAX_PASSWORD_LENGTH ? { username, password } : null;
}

/** Whether an Authorization header carries the given bearer token (RFC 6750). Takes the same time for every wrong one. */
export function isBearer(header: string | undefined, expected: Buffer): boolean {
  const token = header === undefined ? null : BEARER.exec(header);
  return token?.[1] !== undefined && timingSafeEqual(digestOf(token[1]), expected);
}

/** What isBearer compares: digests have one length, which tells nothing of the token's. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
