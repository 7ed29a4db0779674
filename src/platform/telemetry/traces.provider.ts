import { randomUUID } from 'node:crypto';
import type { Provider } from '@nestjs/common';
import type { Settings } from '../settings/settings.js';
import { Logger, SETTINGS } from '../tokens.js';
import { Allowance } from './allowance.js';
import { LogThrottle } from './log-throttle.js';
import { Metrics } from './metrics.js';
import { droppedSpans, Traces } from './traces.js';

/** Traces a second that are followed because their callers sampled them. */
const CALLERS_PER_SECOND = 100;

/** The process's traces. What makes and sends spans is not even loaded where there is nowhere to send them. */
export const tracesProvider: Provider = {
  provide: Traces,
  inject: [SETTINGS, Metrics, Logger],
  useFactory: async ({ tracing, roles }: Settings, metrics: Metrics, logger: Logger) => {
    const dropped = droppedSpans(metrics);
    if (!tracing) return new Traces(null, undefined, dropped);
    const { SpanExport } = await import('./span-export.js');
    const { samplingOf } = await import('./sampling.js');
    const trouble = new LogThrottle(logger);
    const attributes = { 'service.instance.id': randomUUID(), 'trunkline.roles': roles.join(',') };
    const sink = new SpanExport(tracing, attributes, (count, error) => {
      dropped.inc({ reason: 'export' }, count);
      trouble.warn({ spans: count, err: error }, 'spans could not be exported');
    });
    return new Traces(sink, samplingOf(tracing, new Allowance(CALLERS_PER_SECOND)), dropped);
  },
};
