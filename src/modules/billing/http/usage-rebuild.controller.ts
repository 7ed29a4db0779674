import { Controller, HttpCode, Post } from '@nestjs/common';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { RebuildUsage } from '../application/rebuild-usage.js';

/** Repairs what customers are told of their usage, for operators. */
@Controller('v1/operator/usage')
@OperatorOnly()
export class UsageRebuildController {
  constructor(private readonly rebuildUsage: RebuildUsage) {}

  /** Makes the usage of all accounts anew from the ledger, while charges go on; says how many rows were wrong. */
  @Post('rebuild')
  @HttpCode(200)
  async rebuild() {
    return this.rebuildUsage.rebuild();
  }
}
