import { Inject, Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import type { JobWorker } from '../../../platform/queues/job-worker.js';
import { Queues } from '../../../platform/queues/queues.js';
import { Logger } from '../../../platform/tokens.js';
import { DeliveriesRepository } from '../infrastructure/deliveries.repository.js';
import { Courier, OWN_MS, RETRY_QUEUE, type RetryJob } from './courier.js';

const SWEEP_EVERY_MS = 2_000;
const BATCH = 500;
/** A reminder may come this much early by the database's clock. */
const SLACK_MS = 1_000;
const RETRY_CONCURRENCY = 4;

/**
 * Brings back deliveries that are due: reminded by the queue at their time, and, whatever becomes of the queue, found by
 * looking at the table.
 */
@Injectable()
export class DueDeliveries {
  private readonly wakeup = new Wakeup();
  private readonly worker: JobWorker;
  private stopping = false;
  private running: Promise<void> | null = null;

  constructor(
    private readonly deliveries: DeliveriesRepository,
    private readonly courier: Courier,
    private readonly queues: Queues,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.worker = queues.worker<RetryJob>(RETRY_QUEUE, (job) => this.remind(job), { concurrency: RETRY_CONCURRENCY });
  }

  /** Starts looking; the queue joins when its store can be reached. */
  start(): void {
    this.running = this.loop();
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
  }

  private async remind(job: RetryJob): Promise<void> {
    if (this.courier.room === 0 || this.courier.holds(job.messageId)) return;
    const delivery = await this.deliveries.claim(job.accountId, job.messageId, job.version, SLACK_MS, OWN_MS);
    if (delivery) this.courier.offer([delivery]);
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      let found = 0;
      try {
        found = await this.sweep();
      } catch (error) {
        this.logger.warn({ err: error }, 'due deliveries could not be looked for');
      }
      if (found < BATCH) await this.wakeup.wait(SWEEP_EVERY_MS);
    }
  }

  private async sweep(): Promise<number> {
    const room = Math.min(BATCH, this.courier.room);
    if (room === 0) return 0;
    const due = await this.deliveries.claimDue(room, OWN_MS);
    // One that is held here already is being attempted: it was only slow.
    this.courier.offer(due.filter((delivery) => !this.courier.holds(delivery.messageId)));
    return due.length;
  }
}
