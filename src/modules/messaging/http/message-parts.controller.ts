import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import { rfc2822 } from '../../../platform/http/rfc2822.js';
import { idPage, idPosition } from '../../../platform/http/twilio-list.js';
import { twilioPageShape } from '../../../platform/http/twilio-page.js';
import { Failure } from '../../../shared/failure.js';
import type { Principal } from '../../../shared/principal.js';
import { sidOf } from '../../../shared/sid.js';
import { GiveFeedback } from '../application/give-feedback.js';
import { ListMessages } from '../application/list-messages.js';
import { FEEDBACK_OUTCOMES, type Feedback } from '../domain/feedback.js';
import { instant } from './messages.schemas.js';
import { accountId, idOf } from './path-ids.js';

const MEDIA_FILTERS = ['DateCreated', 'DateCreated<', 'DateCreated>'];

const listMediaQuery = z.object({
  ...twilioPageShape,
  DateCreated: instant.optional(),
  'DateCreated<': instant.optional(),
  'DateCreated>': instant.optional(),
});
const feedbackBody = z.object({ Outcome: z.enum(FEEDBACK_OUTCOMES).default('confirmed') });

/** What hangs below a message in Twilio's API: its media, of which there are none, and what its sender says of it. */
@Controller('2010-04-01/Accounts/:AccountSid/Messages/:MessageSid')
export class MessagePartsController {
  constructor(
    private readonly messages: ListMessages,
    private readonly giveFeedback: GiveFeedback,
  ) {}

  /** Messages are text, so the list is empty. */
  @Get('Media.json')
  async listMedia(
    @CurrentPrincipal() principal: Principal,
    @Param('MessageSid') messageSid: string,
    @Query({ schema: listMediaQuery }) query: z.infer<typeof listMediaQuery>,
    @Req() request: FastifyRequest,
  ) {
    idPosition(query);
    await this.messages.one(accountId(principal), idOf('SM', messageSid));
    const { envelope } = idPage(request.url, MEDIA_FILTERS, query, []);
    return { ...envelope, media_list: [] };
  }

  /** No message has media. */
  @Get('Media/:Sid.json')
  fetchMedia(): never {
    throw new Failure('not_found');
  }

  /** No message has media. */
  @Delete('Media/:Sid.json')
  @HttpCode(204)
  deleteMedia(): never {
    throw new Failure('not_found');
  }

  /** Whether the recipient did what the message was for; given again, it replaces what was said before. */
  @Post('Feedback.json')
  @HttpCode(200)
  async feedback(
    @CurrentPrincipal() principal: Principal,
    @Param('MessageSid') messageSid: string,
    @Body({ schema: feedbackBody }) body: z.infer<typeof feedbackBody>,
  ) {
    return presentFeedback(await this.giveFeedback.give(accountId(principal), idOf('SM', messageSid), body.Outcome));
  }
}

function presentFeedback(feedback: Feedback) {
  const accountSid = sidOf('AC', feedback.accountId);
  const messageSid = sidOf('SM', feedback.messageId);
  return {
    account_sid: accountSid,
    date_created: rfc2822(feedback.createdAt),
    date_updated: rfc2822(feedback.updatedAt),
    message_sid: messageSid,
    outcome: feedback.outcome,
    uri: `/2010-04-01/Accounts/${accountSid}/Messages/${messageSid}/Feedback.json`,
  };
}
