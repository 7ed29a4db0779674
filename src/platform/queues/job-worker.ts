import { LogThrottle, type ThrottledLog } from '../telemetry/log-throttle.js';
import type { JobHandler, QueueStore, RawWorker } from './queue-store.js';

const REOPEN_DELAY_MS = 1_000;
/** A worker that reports this many errors within this time is stuck, and is replaced. */
const MAX_ERRORS = 20;
const ERRORS_WINDOW_MS = 10_000;
/** How long jobs under way may take to end when the worker is closed. */
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * The consumer's end of a queue, which outlives its store: opened as soon as it can be reached, replaced when it keeps
 * failing. A job whose handler throws is gone, with a line in the log: jobs are reminders, not the record.
 */
export class JobWorker {
  private readonly throttle: LogThrottle;
  private readonly closing = Promise.withResolvers<void>();
  private running: Promise<void> | null = null;
  private isClosing = false;

  constructor(
    readonly name: string,
    private readonly store: QueueStore,
    private readonly handler: JobHandler,
    private readonly concurrency: number,
    log: ThrottledLog,
  ) {
    this.throttle = new LogThrottle(log);
  }

  start(): void {
    if (!this.isClosing) this.running ??= this.loop();
  }

  /** Lets the jobs under way end, in bounded time, and takes no more. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.closing.resolve();
    await this.running;
  }

  private async loop(): Promise<void> {
    while (!this.isClosing) {
      try {
        await this.runOne();
      } catch (error) {
        this.throttle.warn({ queue: this.name, err: error }, 'a queue has no worker for the moment');
      }
      await this.orClosing(REOPEN_DELAY_MS);
    }
  }

  /** One worker's life: from its opening to the close of this one, or to its replacement. */
  private async runOne(): Promise<void> {
    const stuck = Promise.withResolvers<void>();
    const worker = this.store.newWorker(this.name, (data, id) => this.handle(data, id), this.concurrency);
    const onError = this.errorListener(() => stuck.resolve());
    worker.on('error', onError);
    try {
      // Readiness may never come, which must not keep us from closing.
      await Promise.race([worker.waitUntilReady(), this.closing.promise]);
      if (this.isClosing) return;
      void worker.run().catch(onError);
      await Promise.race([stuck.promise, this.closing.promise]);
    } finally {
      await closeInTime(worker);
    }
  }

  private async handle(data: unknown, id: string): Promise<void> {
    try {
      await this.handler(data, id);
    } catch (error) {
      this.throttle.warn({ queue: this.name, job: id, err: error }, 'a job failed');
      throw error;
    }
  }

  private errorListener(onStuck: () => void): (error: Error) => void {
    const errors: number[] = [];
    return (error) => {
      this.throttle.warn({ queue: this.name, err: error }, 'a worker is in trouble');
      errors.push(performance.now());
      if (errors.length > MAX_ERRORS) errors.shift();
      if (errors.length === MAX_ERRORS && performance.now() - errors[0]! < ERRORS_WINDOW_MS) onStuck();
    };
  }

  private async orClosing(ms: number): Promise<void> {
    const pause = Promise.withResolvers<void>();
    const timer = setTimeout(pause.resolve, ms);
    await Promise.race([pause.promise, this.closing.promise]);
    clearTimeout(timer);
  }
}

async function closeInTime(worker: RawWorker): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    worker.abort();
    late.resolve();
  }, CLOSE_TIMEOUT_MS);
  await Promise.race([worker.close(), late.promise]).catch(() => undefined);
  clearTimeout(timer);
}
