import { Inject, Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import type { JobWorker } from '../../../platform/queues/job-worker.js';
import { Queues } from '../../../platform/queues/queues.js';
import { Logger } from '../../../platform/tokens.js';
import { MAX_CANDIDATES } from '../infrastructure/deliveries.repository.js';
import { Courier } from './courier.js';
import { RETRY_QUEUE, type RetryJob } from './record-outcomes.js';

const SWEEP_EVERY_MS = 1_000;
/** A reminder may come this much early by the database's clock. */
const SLACK_MS = 1_000;
const REMINDED_CONCURRENCY = 50;
const REMINDED_GROUP = { maxBatch: MAX_CANDIDATES, maxInFlight: 1, maxQueued: 1_000, gatherMs: 5 };

/**
 * Brings back deliveries that are due: reminded by the queue at their time, and, whatever becomes of the queue, found by
 * looking at the table. Safe in several processes at once.
 */
@Injectable()
export class DueDeliveries {
  private readonly wakeup = new Wakeup();
  private readonly worker: JobWorker;
  private readonly reminded: GroupCommit<RetryJob, null>;
  private stopping = false;
  private running: Promise<void> | null = null;

  constructor(
    private readonly courier: Courier,
    private readonly queues: Queues,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.reminded = new GroupCommit((jobs) => this.remind(jobs), REMINDED_GROUP);
    this.worker = queues.worker<RetryJob>(
      RETRY_QUEUE,
      async (job) => {
        await this.reminded.submit(job);
      },
      { concurrency: REMINDED_CONCURRENCY },
    );
  }

  /** Starts looking; the queue joins when its store can be reached. */
  start(): void {
    this.running ??= this.loop();
    this.queues
      .prepare()
      .then(() => this.worker.start())
      .catch((error) =>
        this.logger.warn({ err: error }, 'the retry queue is not available: retries come by the sweep'),
      );
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await Promise.all([this.running, this.worker.close()]);
    await this.reminded.drain();
  }

  /** What finds no room here stays due: the sweep comes by. */
  private async remind(jobs: RetryJob[]): Promise<null[]> {
    if (this.courier.room > 0) await this.courier.claim({ keys: jobs, slackMs: SLACK_MS });
    return jobs.map(() => null);
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      if ((await this.sweep()) < MAX_CANDIDATES) await this.wakeup.wait(SWEEP_EVERY_MS);
    }
  }

  private async sweep(): Promise<number> {
    if (this.courier.room === 0) return 0;
    try {
      return await this.courier.claim({ due: MAX_CANDIDATES });
    } catch (error) {
      this.logger.warn({ err: error }, 'due deliveries could not be looked for');
      return 0;
    }
  }
}
