import { Inject, Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import { withTraces } from '../../../platform/remote/call-budget.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import { sidOf } from '../../../shared/sid.js';
import { isSampled, stageTraceparent } from '../../../shared/traceparent.js';
import { BillingApi } from '../../billing/contract/billing.api.js';
import { messageCanceled, messageDelivered, messageFailed, messageUndelivered } from '../contract/messaging.events.js';

const CHARGED = [messageDelivered.type, messageUndelivered.type];

/** The stage of a message's trace in which it is settled. */
export const SETTLE_STAGE = 'messaging.settle';

/** Final messages that were settled together, and when that was, in milliseconds since 1970. */
export interface Settled {
  readonly events: readonly StoredEvent[];
  readonly startMs: number;
  readonly endMs: number;
}

/** Settles what a message cost when it is final: delivered and undelivered are charged, failed and canceled are not. */
@Injectable()
export class SettleFinalMessages implements DurableConsumer<void> {
  readonly id = 'messaging.settle-final';
  readonly source = 'messaging';
  readonly types = [...CHARGED, messageFailed.type, messageCanceled.type];

  /** Told of what is settled. */
  observe: (settled: Settled) => void = () => undefined;

  constructor(@Inject(BillingApi) private readonly billing: BillingApi) {}

  async prepare(events: readonly StoredEvent[]): Promise<void> {
    const startMs = Date.now();
    const charges = events.map((event) => ({
      key: sidOf('SM', event.streamId),
      outcome: CHARGED.includes(event.type) ? ('post' as const) : ('void' as const),
    }));
    const results = await withTraces(tracesOf(events), () => this.billing.settle(charges));
    const bad = results.findIndex((result) => result !== 'settled');
    if (bad >= 0) throw new Error(`the charge of ${sidOf('SM', events[bad]!.streamId)} is ${results[bad]}`);
    this.observe({ events, startMs, endMs: Date.now() });
  }
}

function tracesOf(events: readonly StoredEvent[]): string[] {
  return events.flatMap(({ traceparent }) =>
    isSampled(traceparent) ? stageTraceparent(traceparent, SETTLE_STAGE) : [],
  );
}
