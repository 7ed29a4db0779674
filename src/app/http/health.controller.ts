import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../platform/http/decorators.js';
import { Metrics } from '../../platform/telemetry/metrics.js';
import { Readiness } from '../../platform/telemetry/readiness.js';

/** What whoever runs the process asks it. Open to all who reach it: bind it, or a proxy, accordingly. */
@ApiTags('Health')
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  @Get('health/live')
  @ApiOperation({ summary: 'Whether the process runs' })
  live() {
    return { status: 'ok' };
  }

  @Get('health/ready')
  @ApiOperation({ summary: 'Whether the process can serve: 200 or 503, with the state of each thing it needs' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const { ready, checks } = await this.readiness.report();
    if (!ready) reply.code(503);
    return { status: ready ? 'ok' : 'unavailable', checks };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: "Metrics in Prometheus' text format" })
  render(): Promise<string> {
    return this.metrics.render();
  }
}
