import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import { DeliveryQueries } from '../infrastructure/delivery-queries.js';
import { Courier } from './courier.js';

/** What an operator watches of webhooks: outcomes of attempts, what waits, what died. */
@Injectable()
export class DeliveryMetrics {
  constructor(metrics: Metrics, courier: Courier, queries: DeliveryQueries) {
    const outcomes = metrics.gauge({
      name: 'trunkline_webhook_outcomes',
      help: 'Webhook attempts since the process started, by outcome',
      labelNames: ['outcome'],
    });
    const deliveries = metrics.gauge({
      name: 'trunkline_webhook_deliveries',
      help: 'Webhook deliveries by state (counted up to a bound), and those that this process holds',
      labelNames: ['state'],
    });
    const overdue = metrics.gauge({
      name: 'trunkline_webhook_overdue_seconds',
      help: 'How long the most overdue delivery has waited beyond its time',
    });
    metrics.onScrape('webhooks', async () => {
      for (const [outcome, count] of Object.entries(courier.counts)) outcomes.set({ outcome }, count);
      deliveries.set({ state: 'held' }, courier.load.held);
      const depths = await queries.depths();
      deliveries.set({ state: 'pending' }, depths.pending);
      deliveries.set({ state: 'dead' }, depths.dead);
      overdue.set(depths.overdueSeconds);
    });
  }
}
