import { Controller, Get, Query } from '@nestjs/common';
import { z } from 'zod';
import { OperatorOnly } from '../../platform/http/decorators.js';
import { RunAudit } from './run-audit.js';

const auditQuery = z
  .object({
    from: z.iso.datetime({ offset: true }).optional(),
    to: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ from, to }) => !from || !to || Date.parse(from) < Date.parse(to), {
    path: ['to'],
    message: 'must lie after from',
  });

/** The audit of the invariants. */
@Controller('v1/operator/audit')
@OperatorOnly()
export class AuditController {
  private running: { readonly bounds: string; readonly report: ReturnType<RunAudit['run']> } | null = null;

  constructor(private readonly audit: RunAudit) {}

  @Get()
  run(@Query({ schema: auditQuery }) query: z.infer<typeof auditQuery>) {
    return this.shared(query);
  }

  /** Those who ask the same at the same time share one run; another question waits for its end. */
  private async shared({ from, to }: z.infer<typeof auditQuery>): ReturnType<RunAudit['run']> {
    const bounds = `${from} ${to}`;
    while (this.running && this.running.bounds !== bounds) await this.running.report.catch(() => undefined);
    if (this.running) return this.running.report;
    const asked = { from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined };
    const report = this.audit.run(asked).finally(() => {
      this.running = null;
    });
    this.running = { bounds, report };
    return report;
  }
}
