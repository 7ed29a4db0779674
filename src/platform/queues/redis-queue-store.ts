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
/** How long a worker waits for a job in one command, which it gives up a second later when Redis died meanwhile. */
const IDLE_WAIT_S = 1;
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
    const client = new TrackedRedis(this.url, { ...connectionOptions(), maxRetriesPerRequest: null });
    client.on('error', this.onError);
    const worker = openWorker(
      { name, handler, concurrency, prefix: PREFIX, drainDelay: IDLE_WAIT_S },
      client,
      createRedisBackend as never,
    );
    const abandon = () => {
      // Says that nothing is to be connected again, which alone would wait for Redis; then ends the connections.
      void worker
        .getBackend()
        .close(true)
        .catch(() => undefined);
      client.disconnectAll();
    };
    return {
      on: (event, listener) => worker.on(event, listener),
      waitUntilReady: () => worker.waitUntilReady(),
      run: () => worker.run(),
      close: async () => {
        const closed = worker.close(client.isLost).catch(() => undefined);
        // Without Redis, the wait for a last word to it would have no end.
        if (!client.isLost) await Promise.race([closed, client.lost()]);
        abandon();
      },
      abort: abandon,
    };
  }

  async close(): Promise<void> {
    this.client.disconnect();
  }
}

function connectionOptions() {
  return {
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: CONNECT_TIMEOUT_MS,
    retryStrategy: (times: number) => Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(times, 10)),
  };
}

/** Knows the connections that BullMQ makes from it, so that they can be ended whatever state either is in. */
class TrackedRedis extends Redis {
  private readonly made: Redis[] = [];

  get isLost(): boolean {
    return this.all().some((client) => client.status !== 'ready');
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    const client = super.duplicate(override);
    this.made.push(client);
    return client;
  }

  /** Resolves when this connection breaks. */
  lost(): Promise<void> {
    return new Promise((resolve) => this.once('close', resolve));
  }

  disconnectAll(): void {
    for (const client of this.all()) client.disconnect();
  }

  private all(): Redis[] {
    return [this, ...this.made];
  }
}
