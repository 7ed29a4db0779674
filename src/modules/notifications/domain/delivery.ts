import type { StatusCallback } from './status-callback.js';

export type DeliveryState = 'pending' | 'delivered' | 'dead' | 'skipped';

/** A status change that a customer is to be told, in the order of its message's versions. */
export interface Delivery {
  readonly accountId: string;
  readonly messageId: string;
  readonly version: number;
  readonly url: string;
  readonly callback: StatusCallback;
  readonly attempts: number;
  readonly traceparent: string | null;
}

/** How an attempt ended. */
export type AttemptResult =
  | { readonly kind: 'response'; readonly status: number; readonly retryAfterMs: number | null }
  /** `permanent`: it can never succeed, whoever tries. */
  | { readonly kind: 'failure'; readonly reason: string; readonly permanent: boolean };

const REQUEST_TIMEOUT = 408;
const TOO_MANY_REQUESTS = 429;

/** What an attempt means for its delivery: 2xx delivers; most 4xx can never succeed; the rest is tried again. */
export function verdictOf(result: AttemptResult): 'delivered' | 'retry' | 'dead' {
  if (result.kind === 'failure') return result.permanent ? 'dead' : 'retry';
  const { status } = result;
  if (status >= 200 && status < 300) return 'delivered';
  const isRefusal = status >= 400 && status < 500 && status !== REQUEST_TIMEOUT && status !== TOO_MANY_REQUESTS;
  return isRefusal ? 'dead' : 'retry';
}
