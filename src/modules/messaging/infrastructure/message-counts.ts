import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import type { NewEvent } from '../../../shared/define-event.js';

const NAME = /^messaging\.message-([a-z-]+)\.v\d+$/;

/** Counts what becomes of messages in this process, by the state they reach. */
@Injectable()
export class MessageCounts {
  private readonly counter;

  constructor(metrics: Metrics) {
    this.counter = metrics.counter({
      name: 'trunkline_messages_total',
      help: 'Messages by the state that they reached in this process',
      labelNames: ['state'],
    });
  }

  /** Counts committed events. */
  count(events: readonly Pick<NewEvent, 'type'>[]): void {
    const byType = new Map<string, number>();
    for (const { type } of events) byType.set(type, (byType.get(type) ?? 0) + 1);
    for (const [type, count] of byType) this.counter.inc({ state: NAME.exec(type)?.[1] ?? 'other' }, count);
  }
}
