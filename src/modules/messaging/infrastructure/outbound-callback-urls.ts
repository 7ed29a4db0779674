import type { OutboundHttpClient } from '../../../platform/http-client/outbound-http-client.js';
import { CallbackUrlPolicy } from '../domain/callback-url-policy.js';

const WORDS = {
  too_long: 'the URL is too long',
  invalid: 'this is no valid URL',
  unsupported_scheme: 'the URL must begin with http:// or https://',
  blocked_address: 'the URL points into a network that webhooks may not reach',
} as const;

/** The same rule for callback URLs at accept that holds when they are called. */
export class OutboundCallbackUrls extends CallbackUrlPolicy {
  constructor(private readonly client: OutboundHttpClient) {
    super();
  }

  refusal(url: string): string | null {
    const checked = this.client.checkUrl(url);
    return checked.ok ? null : WORDS[checked.reason];
  }
}
