import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { CallbackUrlPolicy } from '../domain/callback-url-policy.js';
import type { ServiceSettings } from '../domain/service.js';

/** The URLs of a service by the names of their parameters. */
const NAMES = {
  inboundRequestUrl: 'InboundRequestUrl',
  fallbackUrl: 'FallbackUrl',
  statusCallback: 'StatusCallback',
} as const;

/** Refuses URLs of a service that could never be called, when they are set. */
@Injectable()
export class WebhookUrls {
  constructor(private readonly policy: CallbackUrlPolicy) {}

  /** @throws Failure invalid_callback (StatusCallback), invalid_parameter (the others) */
  check(settings: Partial<ServiceSettings>): void {
    for (const [key, field] of Object.entries(NAMES) as [keyof typeof NAMES, string][]) {
      const url = settings[key];
      const refusal = url ? this.policy.refusal(url) : null;
      if (refusal === null) continue;
      const failure = key === 'statusCallback' ? 'invalid_callback' : 'invalid_parameter';
      throw new Failure(failure, { field, detail: `'${field}': ${refusal}` });
    }
  }
}
