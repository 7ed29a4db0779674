import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type CheckedUrl, OutboundHttpClient } from '../../../platform/http-client/outbound-http-client.js';
import { traceFields } from '../../../platform/telemetry/trace-fields.js';
import { Logger } from '../../../platform/tokens.js';
import { twilioSignature } from '../../../shared/twilio-signature.js';
import type { AttemptResult, Delivery } from '../domain/delivery.js';
import { callbackForm } from '../domain/status-callback.js';
import { attemptTraceparent } from './delivery-trace.js';
import { SigningKeys } from './signing-keys.js';

/** The longest an attempt takes. Twilio's own webhooks wait as long. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
/** URLs whose check is remembered: it takes a tenth of what an attempt costs, and customers have few. */
const MAX_CHECKED = 1_000;
const PERMANENT = ['blocked_address', 'invalid_url'];
/** Failures that say nothing of the endpoint. */
const OURS = ['busy', 'aborted'];

/** Makes one attempt: a signed form POST to the customer's endpoint. Never rejects. */
@Injectable()
export class CallWebhook {
  private readonly checked = new LRUCache<string, CheckedUrl>({ max: MAX_CHECKED });

  constructor(
    private readonly http: OutboundHttpClient,
    private readonly keys: SigningKeys,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** @param signal ends it, which counts as no attempt */
  async call(delivery: Delivery, signal: AbortSignal): Promise<AttemptResult> {
    const { accountSid, messageSid } = delivery.callback;
    const checked = this.check(delivery.url);
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
    const form = callbackForm(delivery.callback);
    const result = await this.http.request({
      url: checked.url,
      method: 'POST',
      timeoutMs: ATTEMPT_TIMEOUT_MS,
      signal,
      // Customers of the same host do not share its connections.
      lane: delivery.accountId,
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'x-twilio-signature': twilioSignature(key, checked.url, form),
        // The same for every attempt, so that a receiver can tell a repetition.
        'i-twilio-idempotency-token': `${messageSid}-${delivery.version}`,
        ...(delivery.traceparent === null ? {} : { traceparent: attemptTraceparent(delivery.traceparent, delivery) }),
      },
      body: new URLSearchParams(form).toString(),
    });
    if (result.kind === 'response') {
      return { kind: 'response', status: result.status, retryAfterMs: retryAfterMs(result.headers['retry-after']) };
    }
    if (OURS.includes(result.reason)) return { kind: 'unsent', reason: result.reason };
    return { kind: 'failure', reason: result.reason, permanent: PERMANENT.includes(result.reason) };
  }

  private check(url: string): CheckedUrl {
    const known = this.checked.get(url) ?? this.http.checkUrl(url);
    this.checked.set(url, known);
    return known;
  }
}

/** What a Retry-After header asks for: seconds or a date (RFC 9110, 10.2.3); null where it is neither. */
function retryAfterMs(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  if (/^\d{1,7}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
