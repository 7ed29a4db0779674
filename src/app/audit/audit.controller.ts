import { Controller, Get } from '@nestjs/common';
import { OperatorOnly } from '../../platform/http/decorators.js';
import { RunAudit } from './run-audit.js';

/** The audit of the invariants. */
@Controller('v1/operator/audit')
@OperatorOnly()
export class AuditController {
  private running: ReturnType<RunAudit['run']> | null = null;

  constructor(private readonly audit: RunAudit) {}

  /** Checks the invariants on all data. Those who ask at the same time share one run. */
  @Get()
  run() {
    this.running ??= this.audit.run().finally(() => {
      this.running = null;
    });
    return this.running;
  }
}
