import { Inject, Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { sidOf } from '../../../shared/sid.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { canceled, deleted, FINAL, type Message, redacted, WAITING } from '../domain/message.js';
import type { MessageView } from '../domain/message-view.js';
import { MessageViews } from '../infrastructure/message-views.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';

/** What a customer may change of a message: erase its text, take it back while it waits, delete it when it is final. */
@Injectable()
export class ChangeMessage {
  constructor(
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    private readonly messages: MessagesRepository,
    private readonly views: MessageViews,
    private readonly db: MessagingDatabase,
  ) {}

  /** Erases the text of a final message, once. @throws Failure not_found, message_not_final */
  async redact(accountId: string, id: string): Promise<MessageView> {
    const view = await this.view(accountId, id);
    if (view.body === '') return view;
    await this.change(accountId, id, (message) => {
      if (!FINAL.includes(message.status)) throw new Failure('message_not_final');
      return { decision: redacted(message), erase: 'text' };
    });
    return this.view(accountId, id);
  }

  /** Takes back a message that no carrier has. @throws Failure not_found, message_not_cancelable */
  async cancel(accountId: string, id: string): Promise<MessageView> {
    const view = await this.view(accountId, id);
    if (WAITING.includes(view.status) && (await this.isWithCarrier(id))) throw new Failure('message_not_cancelable');
    await this.change(accountId, id, (message) => {
      if (message.status === 'canceled') return null;
      const decision = canceled(message);
      if (!decision) throw new Failure('message_not_cancelable');
      return { decision, erase: 'nothing' };
    });
    return this.view(accountId, id);
  }

  /** Deletes a final message; a tombstone without text stays for the audit. @throws Failure not_found, message_not_final */
  async delete(accountId: string, id: string): Promise<void> {
    await this.view(accountId, id);
    await this.change(accountId, id, (message) => {
      if (!FINAL.includes(message.status)) throw new Failure('message_not_final');
      return { decision: deleted(message), erase: 'row' };
    });
  }

  private async change(accountId: string, id: string, decide: (message: Message) => Change | null): Promise<void> {
    const committed = await this.db.transaction(async (tx) => {
      const message = (await this.messages.lock(tx, [{ accountId, id }])).get(id);
      if (!message) throw new Failure('not_found');
      const change = decide(message);
      if (!change) return () => undefined;
      if (change.erase !== 'nothing') await this.messages.erase(tx, message, change.erase === 'row');
      const { message: next, event } = change.decision;
      return this.messages.save(tx, [next], event ? [event] : []);
    });
    committed();
  }

  /** It has left, or is about to, although its answer is not recorded yet. */
  private async isWithCarrier(id: string): Promise<boolean> {
    const [isKnown] = await this.carriers.known([sidOf('SM', id)]);
    return isKnown === true;
  }

  private async view(accountId: string, id: string): Promise<MessageView> {
    const view = await this.views.find(accountId, id);
    if (!view) throw new Failure('not_found');
    return view;
  }
}

interface Change {
  readonly decision: ReturnType<typeof redacted>;
  readonly erase: 'nothing' | 'text' | 'row';
}
