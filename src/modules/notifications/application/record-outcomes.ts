import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import { isTransientDatabaseError } from '../../../platform/postgres/database.js';
import type { JobQueue } from '../../../platform/queues/job-queue.js';
import { Queues } from '../../../platform/queues/queues.js';
import { Logger } from '../../../platform/tokens.js';
import type { DeliveryKey } from '../domain/delivery.js';
import { DeliveriesRepository, type Outcome } from '../infrastructure/deliveries.repository.js';

export const RETRY_QUEUE = 'webhook-retries';

/** What a retry job carries: which delivery is due. */
export type RetryJob = DeliveryKey;

const GROUP = { maxBatch: 500, maxInFlight: 2, maxQueued: 50_000, gatherMs: 2 };
const MAX_TRIES = 6;
const FIRST_PAUSE_MS = 100;

/**
 * Writes down how attempts ended, many with one commit, and then has the queue remind of those that are to be tried
 * again. Reminders may be lost; the rows say the same.
 */
@Injectable()
export class RecordOutcomes {
  private readonly group = new GroupCommit<Outcome, boolean>((outcomes) => this.write(outcomes), GROUP);
  private readonly retries: JobQueue<RetryJob>;

  constructor(
    private readonly deliveries: DeliveriesRepository,
    queues: Queues,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.retries = queues.queue<RetryJob>(RETRY_QUEUE);
  }

  /**
   * Records one outcome. False when it was not recorded: the delivery had been decided elsewhere, or the database is
   * gone, and then it is due again when its ownership ends, so that the customer may be told twice.
   */
  async record(outcome: Outcome): Promise<boolean> {
    try {
      return await this.group.submit(outcome);
    } catch (error) {
      const { messageId, version } = outcome;
      this.logger.warn({ message_id: messageId, version, err: error }, 'an attempt could not be recorded');
      return false;
    }
  }

  /** Waits until everything is recorded. */
  drain(): Promise<void> {
    return this.group.drain();
  }

  /** How many reminders the queue holds; null when it cannot be asked. */
  async depth(): Promise<number | null> {
    const depth = await this.retries.depth();
    return depth && depth.waiting + depth.delayed + depth.active;
  }

  private async write(outcomes: Outcome[]): Promise<boolean[]> {
    const recorded = await this.persist(outcomes);
    const retries = outcomes.filter((outcome, index) => recorded[index] && outcome.isReminded);
    if (retries.length > 0) void this.remind(retries);
    return recorded;
  }

  /** A database that restarts is waited for: what was attempted would be attempted twice. */
  private async persist(outcomes: Outcome[]): Promise<boolean[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.deliveries.record(outcomes);
      } catch (error) {
        if (attempt === MAX_TRIES || !isTransientDatabaseError(error)) throw error;
        await delay(FIRST_PAUSE_MS * 2 ** (attempt - 1));
      }
    }
  }

  private async remind(retries: readonly Outcome[]): Promise<void> {
    await this.retries.add(
      retries.map(({ accountId, messageId, version, attempts, nextAttemptMs }) => ({
        id: `${messageId}-${version}-${attempts}`,
        data: { accountId, messageId, version },
        delayMs: Math.ceil(nextAttemptMs),
      })),
    );
  }
}
