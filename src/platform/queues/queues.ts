import type { OnApplicationShutdown } from '@nestjs/common';
import { LogThrottle, type ThrottledLog } from '../telemetry/log-throttle.js';
import { JobQueue } from './job-queue.js';
import { JobWorker } from './job-worker.js';
import { PostgresQueueStore } from './postgres-queue-store.js';
import type { QueueStore } from './queue-store.js';
import { RedisQueueStore } from './redis-queue-store.js';

export interface QueuesOptions {
  /** Where the queues are kept unless there is a Redis. */
  readonly connectionString: string;
  readonly redisUrl: string | undefined;
  readonly log: ThrottledLog;
}

/**
 * Queues of delayed jobs that survive a restart: BullMQ, on Redis where there is one, else on PostgreSQL. They are never
 * the record. What is due stands in the tables of the module that queued it, which looks there for what has no job.
 */
export class Queues implements OnApplicationShutdown {
  private readonly store: QueueStore;
  private readonly open: { close(): Promise<void> }[] = [];
  private prepared: Promise<void> | null = null;
  private closed: Promise<void> | null = null;

  constructor(private readonly options: QueuesOptions) {
    const throttle = new LogThrottle(options.log);
    const onError = (error: Error) => throttle.warn({ err: error }, 'a connection of the queues broke');
    this.store = options.redisUrl
      ? new RedisQueueStore(options.redisUrl, onError)
      : new PostgresQueueStore(options.connectionString, onError);
  }

  get kind(): 'postgres' | 'redis' {
    return this.store.kind;
  }

  /** Makes or updates the schema; once per process, before the first worker. @throws when the database refuses */
  prepare(): Promise<void> {
    this.prepared ??= this.store.prepare();
    return this.prepared;
  }

  /** The producer's end of a queue. */
  queue<D>(name: string): JobQueue<D> {
    const queue = new JobQueue<D>(name, this.store, this.options.log);
    this.open.push(queue);
    return queue;
  }

  /** A worker for a queue; it takes jobs once it is started. The handler must bear a job twice, or one that is stale. */
  worker<D>(name: string, handler: (data: D, id: string) => Promise<void>, limits: { concurrency: number }): JobWorker {
    const worker = new JobWorker(
      name,
      this.store,
      (data, id) => handler(data as D, id),
      limits.concurrency,
      this.options.log,
    );
    this.open.push(worker);
    return worker;
  }

  /** Closes workers, then queues, then connections; may be called again. */
  close(): Promise<void> {
    this.closed ??= this.closeAll();
    return this.closed;
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  private async closeAll(): Promise<void> {
    // Nothing may still be at work in a database that is stopped next.
    await this.prepared?.catch(() => undefined);
    await Promise.all(this.open.map((part) => part.close()));
    await this.store.close();
  }
}
