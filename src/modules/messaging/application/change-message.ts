import { Inject, Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { CANCELABLE, deleted, FINAL, type Message, redacted } from '../domain/message.js';
import type { MessageView } from '../domain/message-view.js';
import { MessageViews } from '../infrastructure/message-views.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';
import { EndWaiting } from './end-waiting.js';

/** What a customer may change of a message: erase its text, take it back while it waits, delete it when it is final. */
@Injectable()
export class ChangeMessage {
  constructor(
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    private readonly endWaiting: EndWaiting,
    private readonly messages: MessagesRepository,
    private readonly views: MessageViews,
    private readonly db: MessagingDatabase,
  ) {}

  /** Erases the text of a final message, once. @throws Failure not_found, message_not_final */
  async redact(accountId: string, id: string): Promise<MessageView> {
    const view = await this.view(accountId, id);
    if (view.body === '') return view;
    await this.eraseAtCarriers(view);
    await this.change(accountId, id, (message) => {
      if (!FINAL.includes(message.status)) throw new Failure('message_not_final');
      return { decision: redacted(message), erase: 'text' };
    });
    return this.view(accountId, id);
  }

  /** Takes back a message that no carrier has. @throws Failure not_found, message_not_cancelable */
  async cancel(accountId: string, id: string): Promise<MessageView> {
    const { status } = await this.view(accountId, id);
    if (CANCELABLE.includes(status)) await this.endWaiting.end([{ accountId, id }], 'canceled');
    const view = await this.view(accountId, id);
    if (view.status !== 'canceled') throw new Failure('message_not_cancelable');
    return view;
  }

  /** Deletes a final message; a tombstone without text stays for the audit. @throws Failure not_found, message_not_final */
  async delete(accountId: string, id: string): Promise<void> {
    await this.eraseAtCarriers(await this.view(accountId, id));
    await this.change(accountId, id, (message) => {
      if (!FINAL.includes(message.status)) throw new Failure('message_not_final');
      return { decision: deleted(message), erase: 'row' };
    });
  }

  /** Carriers keep the text of what they brought in; it goes first, so that what a crash leaves is asked for again. */
  private async eraseAtCarriers({ id, direction }: MessageView): Promise<void> {
    if (direction === 'inbound') await this.carriers.redactInbound([id]);
  }

  private async change(accountId: string, id: string, decide: (message: Message) => Change): Promise<void> {
    const committed = await this.db.transaction(async (tx) => {
      const message = (await this.messages.lock(tx, [{ accountId, id }])).get(id);
      if (!message) throw new Failure('not_found');
      const change = decide(message);
      await this.messages.erase(tx, message, change.erase === 'row');
      const { message: next, event } = change.decision;
      return this.messages.save(tx, [next], event ? [event] : []);
    });
    committed();
  }

  private async view(accountId: string, id: string): Promise<MessageView> {
    const view = await this.views.find(accountId, id);
    if (!view) throw new Failure('not_found');
    return view;
  }
}

interface Change {
  readonly decision: ReturnType<typeof redacted>;
  readonly erase: 'text' | 'row';
}
