import { Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import {
  messageCanceled,
  messageDelivered,
  messageFailed,
  messageQueued,
  messageSent,
  messageUndelivered,
} from '../../messaging/contract/messaging.events.js';
import type { Delivery } from '../domain/delivery.js';
import { receiptDate } from '../domain/status-callback.js';
import { type Candidate, DeliveriesRepository } from '../infrastructure/deliveries.repository.js';
import { Courier } from './courier.js';

const STATUS_BY_TYPE: Readonly<Record<string, string>> = {
  [messageQueued.type]: 'queued',
  [messageSent.type]: 'sent',
  [messageDelivered.type]: 'delivered',
  [messageUndelivered.type]: 'undelivered',
  [messageFailed.type]: 'failed',
  [messageCanceled.type]: 'canceled',
};

/** The changes that a carrier's receipt brings. */
const RECEIPTED: readonly string[] = [messageDelivered.type, messageUndelivered.type];

/** What the events of messages have in common for a callback; some lack the last two. */
interface MessageFact {
  readonly messageSid: string;
  readonly accountSid: string;
  readonly from: string;
  readonly to: string;
  readonly serviceSid: string | null;
  readonly callbackUrl: string | null;
  readonly errorCode?: number;
  readonly doneDate?: string | null;
}

/** Turns each change of a message's status into a delivery, and sends it off at once. */
@Injectable()
export class ScheduleCallbacks implements DurableConsumer {
  readonly id = 'notifications.status-callbacks';
  readonly source = 'messaging';
  readonly types = Object.keys(STATUS_BY_TYPE);

  constructor(
    private readonly deliveries: DeliveriesRepository,
    private readonly courier: Courier,
  ) {}

  concerns(event: StoredEvent): boolean {
    return (event.data as MessageFact).callbackUrl !== null;
  }

  async apply(tx: Queryable, events: readonly StoredEvent[]): Promise<() => void> {
    const wanted = events.map(deliveryOf);
    const sinceMs = performance.now();
    const placements = this.courier.plan(withEachOther(wanted.map((delivery) => ({ delivery, before: [] }))));
    const fresh = withEachOther(await this.deliveries.insert(tx, wanted, placements));
    const taken = new Set(wanted.filter((_, index) => placements[index]!.isTaken));
    return () =>
      this.courier.offer(
        fresh.filter(({ delivery }) => taken.has(delivery)),
        sinceMs,
      );
  }
}

/** What is written together is not in the table yet for one another: a later change of a message follows the earlier. */
function withEachOther(candidates: readonly Candidate[]): Candidate[] {
  const versions = new Map<string, number[]>();
  return candidates.map(({ delivery, before }) => {
    const earlier = versions.get(delivery.messageId) ?? [];
    versions.set(delivery.messageId, [...earlier, delivery.version]);
    return { delivery, before: [...before, ...earlier] };
  });
}

function deliveryOf(event: StoredEvent): Delivery {
  const fact = event.data as MessageFact;
  return {
    accountId: event.tenantId!,
    messageId: event.streamId,
    version: event.version,
    url: fact.callbackUrl!,
    attempts: 0,
    traceparent: event.traceparent ?? null,
    callback: {
      messageSid: fact.messageSid,
      accountSid: fact.accountSid,
      status: STATUS_BY_TYPE[event.type]!,
      from: fact.from,
      to: fact.to,
      serviceSid: fact.serviceSid,
      errorCode: fact.errorCode ?? null,
      doneDate: RECEIPTED.includes(event.type) ? (fact.doneDate ?? receiptDate(event.occurredAt)) : null,
    },
  };
}
