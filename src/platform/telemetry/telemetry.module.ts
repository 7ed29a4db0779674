import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';

/** Metrics and readiness, for every module to contribute to. Needs the process's Logger from a global module. */
@Global()
@Module({ providers: [Metrics, Readiness], exports: [Metrics, Readiness] })
export class TelemetryModule {
  constructor(metrics: Metrics) {
    metrics.observeProcess();
  }
}
