import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { PublicUrl } from '../../platform/http/public-url.js';
import { publicUrlProvider } from '../../platform/http/public-url.provider.js';
import { ValidationPipe } from '../../platform/http/validation.js';
import { limiterProvider } from '../../platform/limits/limiter.provider.js';
import type { Settings } from '../../platform/settings/settings.js';
import { Logger, SETTINGS } from '../../platform/tokens.js';
import { AccessGuard } from './access.guard.js';
import { Admission } from './admission.js';
import { DocsController } from './docs.controller.js';
import { Edge } from './edge.js';
import { ErrorFilter } from './error.filter.js';
import { FailedLogins } from './failed-logins.js';
import { HealthController } from './health.controller.js';
import { ReferenceDocument } from './reference-document.js';
import { RequestLimits } from './request-limits.js';
import { RequestLog } from './request-log.js';
import { RequestTraces } from './request-traces.js';
import { RouteTable } from './route-table.js';

const requestLog = {
  provide: RequestLog,
  inject: [SETTINGS, Logger],
  useFactory: ({ logLevel }: Settings, logger: Logger) =>
    new RequestLog(logger, logLevel === 'debug' || logLevel === 'trace'),
};

/**
 * The HTTP edge. Needs, from global modules: SETTINGS, Logger, TelemetryModule, and accounts' contract. The guard, the
 * validation and the error filter hold for every controller of the application.
 */
@Global()
@Module({
  controllers: [HealthController, DocsController],
  providers: [
    publicUrlProvider,
    requestLog,
    RequestTraces,
    limiterProvider,
    RequestLimits,
    FailedLogins,
    RouteTable,
    ReferenceDocument,
    ErrorFilter,
    Admission,
    Edge,
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_PIPE, useClass: ValidationPipe },
    { provide: APP_FILTER, useExisting: ErrorFilter },
  ],
  exports: [PublicUrl],
})
export class EdgeModule {}
