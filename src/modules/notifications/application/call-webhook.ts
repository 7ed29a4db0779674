import { Inject, Injectable } from '@nestjs/common';
import { OutboundHttpClient } from '../../../platform/http-client/outbound-http-client.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import type { AttemptResult, Delivery } from '../domain/delivery.js';
import { callbackForm } from '../domain/status-callback.js';
import { twilioSignature } from '../domain/twilio-signature.js';

const PERMANENT = ['blocked_address', 'invalid_url'];

/** Makes one attempt: a signed form POST to the customer's endpoint. Never rejects for what the endpoint does. */
@Injectable()
export class CallWebhook {
  constructor(
    private readonly http: OutboundHttpClient,
    @Inject(AccountsApi) private readonly accounts: AccountsApi,
  ) {}

  async call(delivery: Delivery): Promise<AttemptResult> {
    const { accountSid, messageSid } = delivery.callback;
    const checked = this.http.checkUrl(delivery.url);
    if (!checked.ok) return { kind: 'failure', reason: checked.reason, permanent: true };
    const token = (await this.accounts.signingKeys([accountSid]))[accountSid];
    if (token === undefined) return { kind: 'failure', reason: 'the account is gone', permanent: true };
    const form = callbackForm(delivery.callback);
    const result = await this.http.request({
      url: checked.url,
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'x-twilio-signature': twilioSignature(token, checked.url, form),
        'i-twilio-idempotency-token': `${messageSid}-${delivery.version}`,
        ...(delivery.traceparent === null ? {} : { traceparent: delivery.traceparent }),
      },
      body: new URLSearchParams(form).toString(),
    });
    if (result.kind === 'failure') {
      return { kind: 'failure', reason: result.reason, permanent: PERMANENT.includes(result.reason) };
    }
    return { kind: 'response', status: result.status, retryAfterMs: retryAfterMs(result.headers['retry-after']) };
  }
}

function retryAfterMs(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  if (/^\d{1,7}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
