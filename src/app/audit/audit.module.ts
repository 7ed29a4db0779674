import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { RunAudit } from './run-audit.js';

/** Holds what the modules say of the same messages against each other: the invariants, on live data. */
@Module({ controllers: [AuditController], providers: [RunAudit] })
export class AuditModule {}
