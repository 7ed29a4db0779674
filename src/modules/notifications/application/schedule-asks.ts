import { Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import { messageReceived } from '../../messaging/contract/messaging.events.js';
import type { Delivery } from '../domain/delivery.js';
import { DeliveriesRepository } from '../infrastructure/deliveries.repository.js';
import { Courier } from './courier.js';

type Received = EventData<typeof messageReceived>;

/** Turns each incoming message whose number or service has a webhook into a delivery, and sends it off at once. */
@Injectable()
export class ScheduleAsks implements DurableConsumer {
  readonly id = 'notifications.inbound-webhooks';
  readonly source = 'messaging';
  readonly types = [messageReceived.type];

  constructor(
    private readonly deliveries: DeliveriesRepository,
    private readonly courier: Courier,
  ) {}

  concerns(event: StoredEvent): boolean {
    return (event.data as Received).webhook !== null;
  }

  async apply(tx: Queryable, events: readonly StoredEvent[]): Promise<() => void> {
    const wanted = events.map(deliveryOf);
    const sinceMs = performance.now();
    const placements = this.courier.plan(wanted.map((delivery) => ({ delivery, before: [] })));
    const fresh = await this.deliveries.insert(tx, wanted, placements);
    const taken = new Set(wanted.filter((_, index) => placements[index]!.isTaken));
    return () =>
      this.courier.offer(
        fresh.filter(({ delivery }) => taken.has(delivery)),
        sinceMs,
      );
  }
}

function deliveryOf(event: StoredEvent): Delivery {
  const { messageSid, accountSid, from, to, serviceSid, segments, optOutType, webhook } = event.data as Received;
  const { url, method, fallbackUrl, fallbackMethod } = webhook!;
  return {
    accountId: event.tenantId!,
    messageId: event.streamId,
    version: event.version,
    url,
    attempts: 0,
    traceparent: event.traceparent ?? null,
    callback: {
      kind: 'inbound',
      status: 'received',
      messageSid,
      accountSid,
      from,
      to,
      serviceSid,
      segments,
      optOutType,
      primary: { url, method },
      fallback: fallbackUrl === null ? null : { url: fallbackUrl, method: fallbackMethod },
      failed: null,
    },
  };
}
