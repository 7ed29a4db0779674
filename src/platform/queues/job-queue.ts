import { LogThrottle, type ThrottledLog } from '../telemetry/log-throttle.js';
import type { QueueStore, RawQueue } from './queue-store.js';

export interface NewJob<D> {
  /** Unique in its queue while the job is there; one that is there already is left as it is. No colon, no bare number. */
  readonly id: string;
  /** JSON; never content. */
  readonly data: D;
  readonly delayMs: number;
}

export interface QueueDepth {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
}

const MAX_BULK = 500;
/** Bulk adds under way; more are refused, for the store is slower than what wants in. */
const MAX_IN_FLIGHT = 8;

/** The producer's end of a queue. Nothing here throws: a job that could not be kept is found by whoever wrote it down. */
export class JobQueue<D> {
  private opened: Promise<RawQueue> | null = null;
  private inFlight = 0;
  private isClosed = false;
  private readonly throttle: LogThrottle;

  constructor(
    readonly name: string,
    private readonly store: QueueStore,
    log: ThrottledLog,
  ) {
    this.throttle = new LogThrottle(log);
  }

  /** Adds jobs, each to run after its delay. False when not all of them are known to be kept. */
  async add(jobs: readonly NewJob<D>[]): Promise<boolean> {
    if (jobs.length === 0) return true;
    if (!this.isUsable()) return false;
    this.inFlight++;
    try {
      const queue = await this.open();
      for (let at = 0; at < jobs.length; at += MAX_BULK) {
        const bulk = jobs.slice(at, at + MAX_BULK);
        await queue.addBulk(
          bulk.map((job) => ({ name: this.name, data: job.data, opts: { jobId: job.id, delay: job.delayMs } })),
        );
      }
      return true;
    } catch (error) {
      this.throttle.warn({ queue: this.name, jobs: jobs.length, err: error }, 'jobs could not be queued');
      return false;
    } finally {
      this.inFlight--;
    }
  }

  /** How many jobs there are; null when the store cannot be asked. */
  async depth(): Promise<QueueDepth | null> {
    if (!this.isUsable()) return null;
    this.inFlight++;
    try {
      const queue = await this.open();
      const { waiting = 0, delayed = 0, active = 0 } = await queue.getJobCounts('waiting', 'delayed', 'active');
      return { waiting, delayed, active };
    } catch {
      return null;
    } finally {
      this.inFlight--;
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const queue = await this.opened?.catch(() => null);
    await queue?.close().catch(() => undefined);
  }

  private isUsable(): boolean {
    return !this.isClosed && this.store.isReachable && this.inFlight < MAX_IN_FLIGHT;
  }

  /** A queue that failed to become ready never does: the next caller tries with a new one. */
  private open(): Promise<RawQueue> {
    this.opened ??= this.openOnce().catch((error) => {
      this.opened = null;
      throw error;
    });
    return this.opened;
  }

  private async openOnce(): Promise<RawQueue> {
    const queue = this.store.newQueue(this.name);
    queue.on('error', (error) => this.throttle.warn({ queue: this.name, err: error }, 'a queue is in trouble'));
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (error) {
      await queue.close().catch(() => undefined);
      throw error;
    }
  }
}
