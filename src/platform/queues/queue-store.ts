import type { BackendFactory, IQueueBackend, JobProgress } from 'bullmq';
import { Queue, Worker } from 'bullmq';

/** What the rest of this folder uses of BullMQ's two classes, whatever they are kept on. */
export interface RawQueue {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  addBulk(jobs: RawJob[]): Promise<unknown>;
  getJobCounts(...types: ('waiting' | 'delayed' | 'active')[]): Promise<Record<string, number>>;
  close(): Promise<void>;
}

export interface RawJob {
  readonly name: string;
  readonly data: unknown;
  readonly opts: { readonly jobId: string; readonly delay: number };
}

export interface RawWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  run(): Promise<void>;
  /** Waits for the jobs under way. */
  close(): Promise<void>;
  /** Lets go of the store without waiting for it. */
  abort(): void;
}

export type JobHandler = (data: unknown, id: string) => Promise<void>;

/** Where jobs are kept: PostgreSQL or Redis. */
export interface QueueStore {
  readonly kind: 'postgres' | 'redis';
  /** Whether it can be reached, as far as is known without asking. */
  readonly isReachable: boolean;
  /** Makes what the store needs before its first use; for a store that may be gone at start, nothing. */
  prepare(): Promise<void>;
  newQueue(name: string): RawQueue;
  newWorker(name: string, handler: JobHandler, concurrency: number): RawWorker;
  close(): Promise<void>;
}

/** Finished jobs are of no use to anybody: what happened stands with whoever queued them. */
const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true };
const KEEP_NONE = { count: 0 };
/** Nobody listens to BullMQ's own event stream. */
const MAX_STREAM_EVENTS = 100;
const WORKER_OPTIONS = {
  autorun: false,
  removeOnComplete: KEEP_NONE,
  removeOnFail: KEEP_NONE,
  /** How soon a worker looks again after it could not reach its store, in milliseconds. */
  runRetryDelay: 500,
};

export interface WorkerSettings {
  readonly name: string;
  readonly handler: JobHandler;
  readonly concurrency: number;
  readonly prefix: string;
  /** How long an idle worker waits to be told of a job before it looks by itself, in seconds. */
  readonly drainDelay: number;
}

/** A BullMQ queue on the given connection. */
export function openQueue<B extends IQueueBackend, C>(
  name: string,
  connection: C,
  prefix: string,
  factory: BackendFactory<B, C>,
): RawQueue {
  return new Queue<unknown, void, string, unknown, void, string, B, C>(
    name,
    {
      connection: connection as never,
      prefix,
      defaultJobOptions: JOB_OPTIONS,
      streams: { events: { maxLen: MAX_STREAM_EVENTS } },
    },
    factory,
  );
}

/** A BullMQ worker on the given connection, which does not run yet. */
export function openWorker<B extends IQueueBackend, C>(
  { name, handler, ...settings }: WorkerSettings,
  connection: C,
  factory: BackendFactory<B, C>,
): Worker<unknown, void, string, B, JobProgress, C> {
  return new Worker<unknown, void, string, B, JobProgress, C>(
    name,
    (job) => handler(job.data, job.id ?? ''),
    { ...WORKER_OPTIONS, ...settings, connection: connection as never },
    factory,
  );
}
