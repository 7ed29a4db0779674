import { Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { EventData, NewEvent, StoredEvent } from '../../../shared/define-event.js';
import { receiptReceived, submissionAnswered } from '../../carriers/contract/carriers.events.js';
import { answered, type Decision, type Message, receipted } from '../domain/message.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';

/** Turns what the carriers say into the states of messages: their answers and their receipts. */
@Injectable()
export class RecordCarrierOutcomes implements DurableConsumer {
  readonly id = 'messaging.carrier-outcomes';
  readonly source = 'carriers';
  readonly types = [submissionAnswered.type, receiptReceived.type];

  constructor(private readonly messages: MessagesRepository) {}

  async apply(tx: Queryable, events: readonly StoredEvent[]): Promise<() => void> {
    const keys = new Map(events.map((event) => [event.streamId, { accountId: event.tenantId!, id: event.streamId }]));
    const messages = await this.messages.lock(tx, [...keys.values()]);
    const changed = new Map<string, Message>();
    const facts: NewEvent[] = [];
    for (const event of events) {
      const message = messages.get(event.streamId);
      const decision = message && decide(message, event);
      if (!decision) continue;
      messages.set(event.streamId, decision.message);
      changed.set(event.streamId, decision.message);
      if (decision.event) facts.push({ ...decision.event, causation: `carriers/${event.position}` });
    }
    return this.messages.save(tx, [...changed.values()], facts);
  }
}

function decide(message: Message, event: StoredEvent): Decision | null {
  if (event.type === submissionAnswered.type) {
    return answered(message, event.data as EventData<typeof submissionAnswered>, event.occurredAt);
  }
  return receipted(message, event.data as EventData<typeof receiptReceived>);
}
