import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import { LANES } from '../domain/lane.js';
import { DispatchRepository } from '../infrastructure/dispatch.repository.js';
import { ScheduledRepository } from '../infrastructure/scheduled.repository.js';
import { Dispatcher } from './dispatcher.js';
import { SagaOutcomes } from './saga-outcomes.js';

const MAX_DUE = 10_000;

/** What an operator watches of messaging: sagas by step and outcome, what waits, how long the oldest has waited. */
@Injectable()
export class MessagingMetrics {
  constructor(
    metrics: Metrics,
    outcomes: SagaOutcomes,
    dispatcher: Dispatcher,
    dispatch: DispatchRepository,
    scheduled: ScheduledRepository,
  ) {
    const steps = metrics.gauge({
      name: 'trunkline_saga_outcomes',
      help: 'Steps of the send saga since the process started, by outcome',
      labelNames: ['step', 'outcome'],
    });
    const waiting = metrics.gauge({
      name: 'trunkline_queue_messages',
      help: 'Messages that wait for a carrier, by lane (counted up to a bound)',
      labelNames: ['lane'],
    });
    const age = metrics.gauge({
      name: 'trunkline_queue_oldest_seconds',
      help: 'How long the oldest waiting message of a lane has waited',
      labelNames: ['lane'],
    });
    const held = metrics.gauge({
      name: 'trunkline_dispatch_messages',
      help: 'Messages that this process holds for dispatch, and that are with the carriers',
      labelNames: ['where'],
    });
    const due = metrics.gauge({
      name: 'trunkline_scheduled_due_messages',
      help: 'Scheduled messages whose time has come and that nobody has let go yet (counted up to a bound)',
    });
    metrics.onScrape('messaging', async () => {
      for (const { step, outcome, count } of outcomes.read()) steps.set({ step, outcome }, count);
      held.set({ where: 'waiting' }, dispatcher.load.waiting);
      held.set({ where: 'with_carriers' }, dispatcher.load.taken);
      due.set(await scheduled.overdue(MAX_DUE));
      const depths = await dispatch.depths();
      for (const lane of LANES) {
        const depth = depths.find((line) => line.lane === lane);
        waiting.set({ lane }, depth?.count ?? 0);
        age.set({ lane }, depth?.oldestSeconds ?? 0);
      }
    });
  }
}
