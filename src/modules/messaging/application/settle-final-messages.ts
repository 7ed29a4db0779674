import { Inject, Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import { sidOf } from '../../../shared/sid.js';
import { BillingApi } from '../../billing/contract/billing.api.js';
import { messageCanceled, messageDelivered, messageFailed, messageUndelivered } from '../contract/messaging.events.js';

const CHARGED = [messageDelivered.type, messageUndelivered.type];

/** Settles what a message cost when it is final: delivered and undelivered are charged, failed and canceled are not. */
@Injectable()
export class SettleFinalMessages implements DurableConsumer<void> {
  readonly id = 'messaging.settle-final';
  readonly source = 'messaging';
  readonly types = [...CHARGED, messageFailed.type, messageCanceled.type];

  constructor(@Inject(BillingApi) private readonly billing: BillingApi) {}

  async prepare(events: readonly StoredEvent[]): Promise<void> {
    const results = await this.billing.settle(
      events.map((event) => ({
        key: sidOf('SM', event.streamId),
        outcome: CHARGED.includes(event.type) ? ('post' as const) : ('void' as const),
      })),
    );
    const bad = results.findIndex((result) => result !== 'settled');
    if (bad >= 0) throw new Error(`the charge of ${sidOf('SM', events[bad]!.streamId)} is ${results[bad]}`);
  }
}
