import { isIP } from 'node:net';
import type { AddressPolicy } from './address-policy.js';
import { isLocalhostName, LOOPBACK_ADDRESSES } from './host-resolver.js';

/** Longest URL that is accepted, in UTF-16 units, as given and as sent. */
export const MAX_URL_LENGTH = 4000;

/** A host must follow `//`, and nothing that parsers disagree about (spaces, controls, backslashes) may occur. */
const PLAIN_HTTP_URL = /^https?:\/\/[^/?#]/i;
const AMBIGUOUS_CHARACTER = /[^!-~\u0080-\uffff]|\\/;

export type UrlRefusal = 'too_long' | 'invalid' | 'unsupported_scheme' | 'blocked_address';

export type TargetUrl =
  | {
      readonly ok: true;
      readonly url: URL /** Value for an Authorization header. */;
      readonly authorization: string | null;
    }
  | { readonly ok: false; readonly reason: UrlRefusal };

/**
 * Parses the URL of a webhook, and refuses what can be known to be unreachable without asking DNS. Only the parsed URL
 * is used afterwards, so that the host which was checked is the host which is reached, however it was spelled: the URL
 * standard turns decimal, octal, hexadecimal, short, percent-encoded and fullwidth addresses into plain ones.
 */
export function parseTargetUrl(text: string, policy: AddressPolicy): TargetUrl {
  if (text.length > MAX_URL_LENGTH) return { ok: false, reason: 'too_long' };
  const url = AMBIGUOUS_CHARACTER.test(text) ? null : URL.parse(text);
  if (url === null) return { ok: false, reason: 'invalid' };
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return { ok: false, reason: 'unsupported_scheme' };
  if (!PLAIN_HTTP_URL.test(text)) return { ok: false, reason: 'invalid' };
  url.hash = '';
  if (url.href.length > MAX_URL_LENGTH) return { ok: false, reason: 'too_long' };
  if (!mayReach(hostOf(url), policy)) return { ok: false, reason: 'blocked_address' };
  return { ok: true, url, authorization: basicAuthorization(url) };
}

/** The host as the resolver and sockets take it: without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function mayReach(host: string, policy: AddressPolicy): boolean {
  if (isIP(host) !== 0) return policy.allows(host);
  return !isLocalhostName(host) || LOOPBACK_ADDRESSES.some((address) => policy.allows(address));
}

function basicAuthorization(url: URL): string | null {
  if (url.username === '' && url.password === '') return null;
  const credentials = `${percentDecode(url.username)}:${percentDecode(url.password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** A stray percent sign is legal in a URL's credentials and stands for itself. */
function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
