import type { AttemptResult } from './delivery.js';

/** Twilio's codes of what goes wrong with a webhook; the fallback is told. */
export const ASK_ERRORS = {
  http: 11200,
  connection: 11205,
  protocol: 11206,
  host: 11210,
  redirects: 11215,
  tls: 11220,
  url: 11100,
  too_large: 11750,
  document: 12100,
  content_type: 12300,
} as const;

const CODE_BY_REASON: Readonly<Record<string, number>> = {
  dns: ASK_ERRORS.host,
  tls: ASK_ERRORS.tls,
  protocol: ASK_ERRORS.protocol,
  too_large: ASK_ERRORS.too_large,
  blocked_address: ASK_ERRORS.url,
  invalid_url: ASK_ERRORS.url,
};

/** What a failed attempt is called. */
export function codeOf(result: AttemptResult): number {
  if (result.kind !== 'failure') return ASK_ERRORS.http;
  return result.code ?? CODE_BY_REASON[result.reason] ?? ASK_ERRORS.connection;
}
