import { Controller, Get, Headers, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from '../../platform/http/decorators.js';
import { Metrics, OPENMETRICS_TEXT, PROMETHEUS_TEXT } from '../../platform/telemetry/metrics.js';
import { Readiness } from '../../platform/telemetry/readiness.js';

/** What whoever runs the process asks it. Open to all who reach it: bind it, or a proxy, accordingly. */
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  @Get('health/live')
  live() {
    return { status: 'ok' };
  }

  @Get('health/ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const { ready, checks } = await this.readiness.report();
    if (!ready) reply.code(503);
    return { status: ready ? 'ok' : 'unavailable', checks };
  }

  @Get('metrics')
  render(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const isOpenMetrics = accept?.includes('application/openmetrics-text') ?? false;
    reply.header('content-type', isOpenMetrics ? OPENMETRICS_TEXT : PROMETHEUS_TEXT);
    return this.metrics.render(isOpenMetrics);
  }
}
