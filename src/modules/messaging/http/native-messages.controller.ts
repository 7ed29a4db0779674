import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import { toCloudEvent } from '../../../shared/define-event.js';
import { Failure } from '../../../shared/failure.js';
import { formatAmount } from '../../../shared/money.js';
import type { Principal } from '../../../shared/principal.js';
import { parseSid } from '../../../shared/sid.js';
import { PreviewMessage } from '../application/preview-message.js';
import { ReadHistory } from '../application/read-history.js';
import { previewBody } from './messages.schemas.js';

/** What this product offers for messages beyond Twilio's API. */
@Controller('v1/messages')
export class NativeMessagesController {
  constructor(
    private readonly previewMessage: PreviewMessage,
    private readonly history: ReadHistory,
  ) {}

  /** Encoding, segments, route and price of a message. Nothing is sent. */
  @Post('preview')
  @HttpCode(200)
  async preview(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: previewBody }) body: z.infer<typeof previewBody>,
  ) {
    const preview = await this.previewMessage.preview(principal, {
      to: body.to,
      body: body.body,
      smartEncoded: body.smart_encoded,
    });
    return {
      encoding: preview.encoding,
      segments: preview.parts.length,
      units: preview.units,
      parts: preview.parts,
      route: preview.carrier === null ? null : { carrier: preview.carrier },
      price: preview.priceMicros === null ? null : formatAmount(BigInt(preview.priceMicros), { minDecimals: 4 }),
      price_unit: preview.currency,
    };
  }

  /** Everything that happened to a message, oldest first, as CloudEvents. */
  @Get(':sid/events')
  async events(@CurrentPrincipal() principal: Principal, @Param('sid') sid: string) {
    const id = parseSid('SM', sid);
    if (!id) throw new Failure('not_found');
    const events = await this.history.of(parseSid('AC', principal.accountSid)!, id);
    return { data: events.map((event) => toCloudEvent('messaging', event)), next_cursor: null, has_more: false };
  }
}
