import type { EventBus } from '../platform/event-log/event-bus.js';
import { analyseGrowing, dropExpired, RETENTION_MS } from '../platform/postgres/partition-care.js';
import type { Logger } from '../platform/tokens.js';

/** At 20,000 events a second a partition is analysed before it has grown by a quarter of a million rows. */
export const ANALYSE_EVERY_MS = 10_000;
export const DROP_EVERY_MS = 600_000;

/** Analyses the partitions that are being filled, in every module that is kept here. */
export async function analysePartitions(bus: EventBus): Promise<void> {
  for (const log of bus.kept()) {
    await analyseGrowing(log.db.server, log.module, log.db.isOwnServer);
  }
}

/** Drops what every module that is kept here no longer keeps. */
export async function dropOldPartitions(bus: EventBus, logger: Pick<Logger, 'info'>, now = Date.now()): Promise<void> {
  for (const log of bus.kept()) {
    const events = { keepMs: RETENTION_MS, passed: await bus.passed(log) };
    const dropped = await dropExpired(log.db.server, log.module, { tables: log.db.retention, events }, now);
    if (dropped.length > 0) logger.info({ module: log.module, dropped }, 'old partitions were dropped');
  }
}
