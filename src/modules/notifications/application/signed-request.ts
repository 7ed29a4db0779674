import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type CheckedUrl, OutboundHttpClient } from '../../../platform/http-client/outbound-http-client.js';
import type { OutboundResponse } from '../../../platform/http-client/outbound-result.js';
import { traceFields } from '../../../platform/telemetry/trace-fields.js';
import { Logger } from '../../../platform/tokens.js';
import { twilioSignature } from '../../../shared/twilio-signature.js';
import type { AttemptResult, Delivery } from '../domain/delivery.js';
import { attemptTraceparent } from './delivery-trace.js';
import { SigningKeys } from './signing-keys.js';

/** URLs whose check is remembered: it takes a tenth of what an attempt costs, and customers have few. */
const MAX_CHECKED = 1_000;
const PERMANENT = ['blocked_address', 'invalid_url'];
/** Failures that say nothing of the endpoint. */
const OURS = ['busy', 'aborted'];

export interface SignedRequestOptions {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly form: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Ends it, which counts as no attempt. */
  readonly signal: AbortSignal;
}

/** A whole answer, whatever its status, or why there is none. */
export type SignedResult = OutboundResponse | Exclude<AttemptResult, { readonly kind: 'response' }>;

/** Calls a customer's endpoint with a form, signed as Twilio signs it. Never rejects. */
@Injectable()
export class SignedRequest {
  private readonly checked = new LRUCache<string, CheckedUrl>({ max: MAX_CHECKED });

  constructor(
    private readonly http: OutboundHttpClient,
    private readonly keys: SigningKeys,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  async send(delivery: Delivery, options: SignedRequestOptions): Promise<SignedResult> {
    const { accountSid, messageSid } = delivery.callback;
    const { method, form, timeoutMs, signal } = options;
    const checked = this.check(method === 'GET' ? withQuery(options.url, form) : options.url);
    if (!checked.ok) return { kind: 'failure', reason: checked.reason, permanent: true };
    let key: string | null;
    try {
      key = await this.keys.keyOf(accountSid);
    } catch (error) {
      const fields = { account_sid: accountSid, message_sid: messageSid, ...traceFields(delivery.traceparent) };
      this.logger.warn({ ...fields, err: error }, 'a callback waits for the key that signs it');
      return { kind: 'unsent', reason: 'the signing key is not available' };
    }
    if (key === null) return { kind: 'failure', reason: 'the account is gone', permanent: true };
    const isPost = method === 'POST';
    const result = await this.http.request({
      url: checked.url,
      method,
      timeoutMs,
      signal,
      // Customers of the same host do not share its connections.
      lane: delivery.accountId,
      headers: {
        ...(isPost ? { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' } : {}),
        'x-twilio-signature': twilioSignature(key, checked.url, isPost ? form : {}),
        // The same for every attempt, so that a receiver can tell a repetition.
        'i-twilio-idempotency-token': `${messageSid}-${delivery.version}`,
        ...(delivery.traceparent === null ? {} : { traceparent: attemptTraceparent(delivery.traceparent, delivery) }),
      },
      ...(isPost ? { body: new URLSearchParams(form).toString() } : {}),
    });
    if (result.kind === 'response') return result;
    if (OURS.includes(result.reason)) return { kind: 'unsent', reason: result.reason };
    return { kind: 'failure', reason: result.reason, permanent: PERMANENT.includes(result.reason) };
  }

  private check(url: string): CheckedUrl {
    const known = this.checked.get(url) ?? this.http.checkUrl(url);
    // One with a form in it is not asked twice.
    if (url.length < 500) this.checked.set(url, known);
    return known;
  }
}

/** A URL with a form in its query, before its fragment. */
function withQuery(url: string, form: Readonly<Record<string, string>>): string {
  const [base, fragment] = url.split('#', 2) as [string, string | undefined];
  const query = `${base.includes('?') ? '&' : '?'}${new URLSearchParams(form)}`;
  return base + query + (fragment === undefined ? '' : `#${fragment}`);
}
