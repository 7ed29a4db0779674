import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import { isSampled, traceIdOf } from '../../../shared/traceparent.js';
import { verdictOf } from '../domain/delivery.js';
import { DeliveryQueries } from '../infrastructure/delivery-queries.js';
import { Courier } from './courier.js';
import { RecordOutcomes } from './record-outcomes.js';

const BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

/** What an operator watches of webhooks: outcomes and durations of attempts, what waits, what died. */
@Injectable()
export class DeliveryMetrics {
  constructor(
    metrics: Metrics,
    private readonly courier: Courier,
    private readonly outcomes: RecordOutcomes,
    private readonly queries: DeliveryQueries,
  ) {
    const durations = metrics.histogram({
      name: 'trunkline_webhook_attempt_duration_seconds',
      help: 'Time from the start of a webhook attempt to its answer, by what it means for the delivery',
      labelNames: ['outcome'],
      buckets: BUCKETS_SECONDS,
      enableExemplars: true,
    });
    courier.observers.push(({ delivery: { traceparent }, result, tookMs }) => {
      if (tookMs === null) return;
      const [labels, value] = [{ outcome: verdictOf(result) }, tookMs / 1_000];
      if (isSampled(traceparent)) durations.observe({ labels, value, exemplarLabels: exemplarOf(traceparent) });
      else durations.observe({ labels, value });
    });
    const outcomeTotals = metrics.gauge({
      name: 'trunkline_webhook_outcomes',
      help: 'What became of webhook deliveries in this process since it started; refused: by the breaker of an endpoint',
      labelNames: ['outcome'],
    });
    const depths = metrics.gauge({
      name: 'trunkline_webhook_deliveries',
      help: 'Webhook deliveries by state (counted up to a bound), those that this process holds, and reminders queued',
      labelNames: ['state'],
    });
    const overdue = metrics.gauge({
      name: 'trunkline_webhook_overdue_seconds',
      help: 'How long the most overdue delivery has waited beyond its time',
    });
    metrics.onScrape('webhooks', async () => {
      for (const [outcome, count] of Object.entries(courier.counts)) outcomeTotals.set({ outcome }, count);
      const figures = await this.collect();
      for (const [state, count] of Object.entries(figures.deliveries)) depths.set({ state }, count);
      overdue.set(figures.overdueSeconds);
    });
  }

  private async collect(): Promise<{ deliveries: Record<string, number>; overdueSeconds: number }> {
    const [{ pending, dead, overdueSeconds }, reminders] = await Promise.all([
      this.queries.depths(),
      this.outcomes.depth(),
    ]);
    const { held, active } = this.courier.load;
    return { deliveries: { pending, dead, held, active, reminders: reminders ?? 0 }, overdueSeconds };
  }
}

/** The library's types allow of the histogram's own labels only; those of an exemplar are others. */
function exemplarOf(traceparent: string): object {
  return { trace_id: traceIdOf(traceparent) };
}
