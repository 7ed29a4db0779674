import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';
import { tracesProvider } from './traces.provider.js';

/** Metrics, readiness and traces, for every module to contribute to. Needs SETTINGS and Logger from a global module. */
@Global()
@Module({ providers: [Metrics, Readiness, tracesProvider], exports: [Metrics, Readiness, tracesProvider] })
export class TelemetryModule {
  constructor(metrics: Metrics) {
    metrics.observeProcess();
  }
}
