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
} from '../contract/messaging.api.js';
import { MessageAuditRepository } from '../infrastructure/message-audit.repository.js';

/** Messaging's contract, in this process. */
@Injectable()
export class MessagingFacade extends MessagingApi {
  constructor(private readonly audit: MessageAuditRepository) {
    super();
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
