import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import {
  type AuditedMessage,
  type HistoryCheck,
  type listMessagesInput,
  type MessageDigest,
  type MessageRange,
  MessagingApi,
  type messageBuckets,
  type ReceivedText,
  type RepliesInput,
  type ReplyResult,
  type receivedTextsInput,
} from '../contract/messaging.api.js';
import { MessageAuditRepository } from '../infrastructure/message-audit.repository.js';
import { MessageViews } from '../infrastructure/message-views.js';
import { ReplyToReceived } from './reply-to-received.js';

/** Messaging's contract, in this process. */
@Injectable()
export class MessagingFacade extends MessagingApi {
  constructor(
    private readonly audit: MessageAuditRepository,
    private readonly views: MessageViews,
    private readonly replies: ReplyToReceived,
  ) {
    super();
  }

  receivedTexts(messages: z.infer<typeof receivedTextsInput>): Promise<ReceivedText[]> {
    return this.views.receivedTexts(messages);
  }

  reply(input: RepliesInput): Promise<ReplyResult[]> {
    return this.replies.reply(input);
  }

  digest(input: z.infer<typeof messageBuckets>): Promise<MessageDigest[]> {
    return this.audit.digest(input);
  }

  listMessages(input: z.infer<typeof listMessagesInput>): Promise<AuditedMessage[]> {
    return this.audit.list(input);
  }

  checkHistories(range: MessageRange): Promise<HistoryCheck> {
    return this.audit.check(range);
  }
}
