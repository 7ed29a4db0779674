import { Injectable } from '@nestjs/common';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { Metrics } from '../../platform/telemetry/metrics.js';

/** How far behind its log each consumer is, and what it has set aside. */
@Injectable()
export class EventMetrics {
  constructor(bus: EventBus, metrics: Metrics) {
    const lag = metrics.gauge({
      name: 'trunkline_consumer_lag_events',
      help: 'Events between a consumer and the head of its log',
      labelNames: ['consumer'],
    });
    const aside = metrics.gauge({
      name: 'trunkline_consumer_aside_events',
      help: 'Events that a consumer has set aside: waiting for a retry, or parked until somebody decides',
      labelNames: ['consumer', 'state'],
    });
    metrics.onScrape('consumers', async () => {
      for (const consumer of await bus.positions()) {
        lag.set({ consumer: consumer.id }, consumer.lag);
        aside.set({ consumer: consumer.id, state: 'waiting' }, consumer.waiting);
        aside.set({ consumer: consumer.id, state: 'parked' }, consumer.parked);
      }
    });
  }
}
