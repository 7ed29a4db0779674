import { createRedisBackend } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import {
  type JobHandler,
  openQueue,
  openWorker,
  type QueueStore,
  type RawQueue,
  type RawWorker,
} from './queue-store.js';

const PREFIX = 'trunkline';
const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 5_000;
/** How long a connection may take to say goodbye before its socket is destroyed. */
const DISCONNECT_TIMEOUT_MS = 200;
const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 2_000;

/** BullMQ on Redis or Valkey, which must run with `noeviction`. It may be gone, at start or later, and come back. */
export class RedisQueueStore implements QueueStore {
  readonly kind = 'redis';
  private readonly client: Redis;

  constructor(
    private readonly url: string,
    private readonly onError: (error: Error) => void,
  ) {
    // Producers fail at once while Redis is away: nothing may pile up in memory for what PostgreSQL remembers anyway.
    this.client = new Redis(url, {
      ...connectionOptions(),
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      commandTimeout: COMMAND_TIMEOUT_MS,
    });
    this.client.on('error', onError);
  }

  get isReachable(): boolean {
    return this.client.status === 'ready';
  }

  async prepare(): Promise<void> {}

  newQueue(name: string): RawQueue {
    return openQueue(name, this.client, PREFIX, createRedisBackend as never);
  }

  newWorker(name: string, handler: JobHandler, concurrency: number): RawWorker {
    // A worker waits for Redis as long as it takes; its connections are its own.
    const client = new Redis(this.url, { ...connectionOptions(), maxRetriesPerRequest: null });
    client.on('error', this.onError);
    const worker = openWorker(name, handler, concurrency, client, PREFIX, createRedisBackend as never);
    return {
      on: (event, listener) => worker.on(event, listener),
      waitUntilReady: () => worker.waitUntilReady(),
      run: () => worker.run(),
      close: async () => {
        // Without Redis, waiting for a last word to it would be for ever.
        await worker.close(client.status !== 'ready');
        client.disconnect();
      },
      abort: async () => {
        client.disconnect();
        await worker.disconnect();
      },
    };
  }

  async close(): Promise<void> {
    this.client.disconnect();
  }
}

function connectionOptions(): RedisOptions {
  return {
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: CONNECT_TIMEOUT_MS,
    retryStrategy: (times) => Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(times, 10)),
  };
}
