import { Injectable } from '@nestjs/common';
import type { AttemptResult, Delivery } from '../domain/delivery.js';
import { retryAfterMs } from '../domain/retry-schedule.js';
import { callbackForm } from '../domain/status-callback.js';
import { AskWebhook } from './ask-webhook.js';
import { SignedRequest } from './signed-request.js';

/** The longest an attempt takes. Twilio's own webhooks wait as long. */
export const ATTEMPT_TIMEOUT_MS = 15_000;

/** Makes one attempt: tells a customer's endpoint of a status, or asks it about an incoming message. Never rejects. */
@Injectable()
export class CallWebhook {
  constructor(
    private readonly request: SignedRequest,
    private readonly ask: AskWebhook,
  ) {}

  /** @param signal ends it, which counts as no attempt */
  async call(delivery: Delivery, signal: AbortSignal): Promise<AttemptResult> {
    const { callback, url } = delivery;
    if (callback.kind === 'inbound') return this.ask.ask(delivery, callback, ATTEMPT_TIMEOUT_MS, signal);
    const form = callbackForm(callback);
    const result = await this.request.send(delivery, {
      url,
      method: 'POST',
      form,
      timeoutMs: ATTEMPT_TIMEOUT_MS,
      signal,
    });
    if (result.kind !== 'response') return result;
    return { kind: 'response', status: result.status, retryAfterMs: retryAfterMs(result.headers['retry-after']) };
  }
}
