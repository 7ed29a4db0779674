import { Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import {
  messageCanceled,
  messageDelivered,
  messageFailed,
  messageSent,
  messageUndelivered,
} from '../../messaging/contract/messaging.events.js';
import type { Delivery } from '../domain/delivery.js';
import { DeliveriesRepository } from '../infrastructure/deliveries.repository.js';
import { Courier, OWN_MS } from './courier.js';

const STATUS_BY_TYPE: Readonly<Record<string, string>> = {
  [messageSent.type]: 'sent',
  [messageDelivered.type]: 'delivered',
  [messageUndelivered.type]: 'undelivered',
  [messageFailed.type]: 'failed',
  [messageCanceled.type]: 'canceled',
};

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

  async apply(tx: Queryable, events: readonly StoredEvent[]): Promise<undefined | (() => void)> {
    const wanted = events.flatMap((event) => deliveryOf(event) ?? []);
    if (wanted.length === 0) return undefined;
    const fresh = await this.deliveries.insert(tx, wanted, OWN_MS);
    const news = wanted.filter((delivery) => fresh.has(`${delivery.messageId}-${delivery.version}`));
    const elsewhere = news.filter((delivery) => !this.courier.holds(delivery.messageId));
    const blocked = elsewhere.length === 0 ? new Set<string>() : await this.deliveries.blocked(tx, elsewhere);
    return () => this.courier.offer(free(news, blocked, (messageId) => this.courier.holds(messageId)));
  }
}

/** Leaves out what must wait for a delivery of its message that is not held here, and whatever comes behind that. */
function free(
  deliveries: readonly Delivery[],
  blocked: ReadonlySet<string>,
  holds: (messageId: string) => boolean,
): Delivery[] {
  const first = new Set<string>();
  return deliveries.filter((delivery) => {
    const follows = first.has(delivery.messageId) || holds(delivery.messageId);
    if (!follows && blocked.has(`${delivery.messageId}-${delivery.version}`)) return false;
    first.add(delivery.messageId);
    return true;
  });
}

function deliveryOf(event: StoredEvent): Delivery | null {
  const fact = event.data as MessageFact;
  if (fact.callbackUrl === null) return null;
  return {
    accountId: event.tenantId!,
    messageId: event.streamId,
    version: event.version,
    url: fact.callbackUrl,
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
      doneDate: fact.doneDate ?? null,
    },
  };
}
