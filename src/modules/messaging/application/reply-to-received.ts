import { Injectable } from '@nestjs/common';
import { Failure, isFailure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import type { RepliesInput, ReplyResult } from '../contract/messaging.api.js';
import { storable } from '../domain/inbound.js';
import { MessageViews } from '../infrastructure/message-views.js';
import { KEYWORD_ORDINAL } from './answer-keywords.js';
import { SendReply } from './send-reply.js';

/** Sends what a webhook answered to an incoming message. */
@Injectable()
export class ReplyToReceived {
  constructor(
    private readonly views: MessageViews,
    private readonly replies: SendReply,
  ) {}

  /** One after the other, in their order. @throws Failure unavailable; the call may be repeated */
  async reply(input: RepliesInput): Promise<ReplyResult[]> {
    const accountId = parseSid('AC', input.accountSid);
    const inboundId = parseSid('SM', input.messageSid);
    const inbound = accountId && inboundId ? await this.views.find(accountId, inboundId, { deleted: true }) : null;
    if (inbound?.direction !== 'inbound') return input.replies.map(() => refused(new Failure('not_found')));
    const results: ReplyResult[] = [];
    for (const [index, reply] of input.replies.entries()) {
      try {
        const id = await this.replies.send({
          accountId: inbound.accountId,
          inboundId: inbound.id,
          ordinal: KEYWORD_ORDINAL + 1 + index,
          direction: 'outbound-reply',
          from: reply.from ?? inbound.to,
          to: reply.to ?? inbound.from,
          body: storable(reply.body),
          serviceId: reply.from === null ? inbound.serviceId : null,
          statusCallback: reply.statusCallback,
          traceparent: input.traceparent,
        });
        results.push({ messageId: id, errorCode: null });
      } catch (error) {
        if (!isFailure(error) || error.failure === 'unavailable') throw error;
        results.push(refused(error));
      }
    }
    return results;
  }
}

function refused(failure: Failure): ReplyResult {
  return { messageId: null, errorCode: failure.code };
}
