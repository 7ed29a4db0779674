import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import type { ListFilter, ListPosition, MessageView } from '../domain/message-view.js';
import { MessageViews } from '../infrastructure/message-views.js';

/** Reads an account's messages: one, or a page of them, newest first. */
@Injectable()
export class ListMessages {
  constructor(private readonly views: MessageViews) {}

  /** @throws Failure not_found, for another account's message too */
  async one(accountId: string, id: string): Promise<MessageView> {
    const view = await this.views.find(accountId, id);
    if (!view) throw new Failure('not_found');
    return view;
  }

  /** At most `limit` messages from a position on; newest first, or oldest first where the position is `newerThan`. */
  page(accountId: string, filter: ListFilter, from: ListPosition, limit: number): Promise<MessageView[]> {
    return this.views.list(accountId, filter, from, limit);
  }
}
