import { Inject, Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parsePhoneNumber } from '../../../shared/phone-number.js';
import type { Principal } from '../../../shared/principal.js';
import { BillingApi } from '../../billing/contract/billing.api.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { segmentText } from '../domain/segments.js';
import { smartEncode } from '../domain/smart-encoding.js';
import { MAX_BODY_LENGTH } from './validate-send.js';

export interface PreviewRequest {
  readonly to: string;
  readonly body: string;
  readonly smartEncoded: boolean;
}

export interface Preview {
  readonly encoding: 'GSM-7' | 'UCS-2';
  readonly parts: readonly string[];
  readonly units: number;
  readonly carrier: string | null;
  readonly priceMicros: number | null;
  readonly currency: string | null;
}

/** Says how a message would be sent and what it would cost. Nothing is sent, reserved or stored. */
@Injectable()
export class PreviewMessage {
  constructor(
    @Inject(BillingApi) private readonly billing: BillingApi,
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
  ) {}

  /** @throws Failure invalid_to, body_required, body_too_long */
  async preview(principal: Principal, request: PreviewRequest): Promise<Preview> {
    const to = parsePhoneNumber(request.to);
    if (!to.ok) throw new Failure('invalid_to', { field: 'to' });
    if (request.body === '') throw new Failure('body_required', { field: 'body' });
    if (request.body.length > MAX_BODY_LENGTH) throw new Failure('body_too_long', { field: 'body' });
    const text = segmentText(request.smartEncoded ? smartEncode(request.body) : request.body);
    const [route, price] = await Promise.all([
      this.carriers.route({ to: to.e164 }),
      this.billing.quote({ accountSid: principal.accountSid, to: to.e164, segments: text.parts.length }),
    ]);
    return {
      encoding: text.encoding,
      parts: text.parts,
      units: text.units,
      carrier: route?.queue ?? null,
      priceMicros: price?.amountMicros ?? null,
      currency: price?.currency ?? null,
    };
  }
}
