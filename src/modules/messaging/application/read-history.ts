import { Injectable } from '@nestjs/common';
import type { StoredEvent } from '../../../shared/define-event.js';
import { MessagingLog } from '../infrastructure/messaging.storage.js';
import { ListMessages } from './list-messages.js';

const MAX_EVENTS = 1000;

/** Reads what happened to a message. */
@Injectable()
export class ReadHistory {
  constructor(
    private readonly messages: ListMessages,
    private readonly log: MessagingLog,
  ) {}

  /** The message's events, oldest first. @throws Failure not_found */
  async of(accountId: string, id: string): Promise<StoredEvent[]> {
    await this.messages.one(accountId, id);
    return this.log.readStream(id, MAX_EVENTS);
  }
}
