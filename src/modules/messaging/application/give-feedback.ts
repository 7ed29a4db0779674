import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import type { Feedback, FeedbackOutcome } from '../domain/feedback.js';
import { FeedbackRepository } from '../infrastructure/feedback.repository.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';
import { ListMessages } from './list-messages.js';

/** Keeps what a customer says became of a message that it sent; said again, the last word counts. */
@Injectable()
export class GiveFeedback {
  constructor(
    private readonly read: ListMessages,
    private readonly messages: MessagesRepository,
    private readonly feedback: FeedbackRepository,
    private readonly db: MessagingDatabase,
  ) {}

  /** @throws Failure `not_found`; `conflict` for a message that came in */
  async give(accountId: string, id: string, outcome: FeedbackOutcome): Promise<Feedback> {
    const { direction } = await this.read.one(accountId, id);
    if (direction === 'inbound') throw new Failure('conflict', { detail: 'feedback is for messages that were sent' });
    return this.db.transaction(async (tx) => {
      if (!(await this.messages.lock(tx, [{ accountId, id }])).has(id)) throw new Failure('not_found');
      const times = await this.feedback.write(tx, { accountId, id }, outcome);
      return { accountId, messageId: id, outcome, ...times };
    });
  }
}
