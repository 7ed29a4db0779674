import { Inject, Injectable } from '@nestjs/common';
import { Logger } from '../../../platform/tokens.js';
import type { HeldLease } from '../infrastructure/binds-lease.repository.js';
import { OrphansRepository } from '../infrastructure/orphans.repository.js';
import { CarriersMetrics } from './carriers-metrics.js';

/** Longer than carriers try to deliver: whose answer has not come by then will not be matched any more. */
export const KEEP_ORPHANS_MS = 7 * 24 * 3_600_000;
/** At most how many are removed at a time. */
export const FORGET_BATCH = 1_000;
const EVERY_MS = 60_000;

/** Removes receipts that match no submission when they are seven days old. */
@Injectable()
export class ForgetOrphans {
  private nextAtMs = 0;

  constructor(
    private readonly orphans: OrphansRepository,
    private readonly metrics: CarriersMetrics,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** Called about once a second by the owner of the binds: a step a minute, and one a call while there are more. */
  async step(lease: HeldLease, nowMs = Date.now()): Promise<void> {
    if (nowMs < this.nextAtMs) return;
    const forgotten = await this.orphans.forget(lease, nowMs - KEEP_ORPHANS_MS, FORGET_BATCH);
    if (forgotten < FORGET_BATCH) this.nextAtMs = nowMs + EVERY_MS;
    if (forgotten === 0) return;
    this.metrics.countForgotten(forgotten);
    this.logger.info({ receipts: forgotten }, 'receipts that matched no submission for seven days were removed');
  }
}
