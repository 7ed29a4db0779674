import type { InboundAsk } from './inbound-ask.js';
import type { StatusCallback } from './status-callback.js';

export type DeliveryState = 'pending' | 'delivered' | 'dead' | 'skipped';

/** Which delivery: of which account's message, and which of its status changes. */
export interface DeliveryKey {
  readonly accountId: string;
  readonly messageId: string;
  readonly version: number;
}

/** What a customer is to be told or asked, in the order of its message's versions. */
export interface Delivery extends DeliveryKey {
  readonly url: string;
  readonly callback: StatusCallback | InboundAsk;
  /** Attempts that were made and failed. */
  readonly attempts: number;
  readonly traceparent: string | null;
}

/** An endpoint of a customer: two customers of the same host do not stand in each other's way. */
export interface EndpointKey {
  readonly accountId: string;
  /** See originOf. */
  readonly origin: string;
}

/** What stands before a URL's path, in lower case: good enough to tell endpoints apart, and never an error. */
export function originOf(url: string): string {
  return /^[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0].toLowerCase() ?? '';
}

/** How an attempt ended. */
export type AttemptResult =
  | { readonly kind: 'response'; readonly status: number; readonly retryAfterMs: number | null }
  /** `permanent`: it can never succeed, whoever tries. `code`: Twilio's for it, where the reason alone does not tell. */
  | { readonly kind: 'failure'; readonly reason: string; readonly permanent: boolean; readonly code?: number }
  /** Nothing was sent, for a reason on this side: it counts as no attempt. */
  | { readonly kind: 'unsent'; readonly reason: string };

/** An attempt that is over. */
export interface Attempted {
  readonly delivery: Delivery;
  readonly result: AttemptResult;
  /** What its delivery is now. */
  readonly state: DeliveryState;
  /** Null where the endpoint's breaker refused it. */
  readonly tookMs: number | null;
}

const REQUEST_TIMEOUT = 408;
const TOO_MANY_REQUESTS = 429;

/** What an attempt means for its delivery: 2xx delivers; most 4xx can never succeed; the rest is tried again. */
export function verdictOf(result: AttemptResult): 'delivered' | 'retry' | 'dead' | 'unsent' {
  if (result.kind === 'unsent') return 'unsent';
  if (result.kind === 'failure') return result.permanent ? 'dead' : 'retry';
  const { status } = result;
  if (status >= 200 && status < 300) return 'delivered';
  const isRefusal = status >= 400 && status < 500 && status !== REQUEST_TIMEOUT && status !== TOO_MANY_REQUESTS;
  return isRefusal ? 'dead' : 'retry';
}

/** What an attempt says of its endpoint's health; null: nothing. A refusal comes from an endpoint that is well. */
export function healthOf(result: AttemptResult): boolean | null {
  if (result.kind === 'unsent') return null;
  if (result.kind === 'failure') return result.permanent ? null : false;
  return result.status < 500 && result.status !== REQUEST_TIMEOUT && result.status !== TOO_MANY_REQUESTS;
}

/** What an attempt is remembered by; null for one that delivered. No text of the endpoint's. */
export function errorOf(result: AttemptResult): string | null {
  if (verdictOf(result) === 'delivered') return null;
  return result.kind === 'response' ? `HTTP ${result.status}` : result.reason;
}
