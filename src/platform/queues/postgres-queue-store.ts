import { createPostgresBackend, DEFAULT_SCHEMA, runMigrations } from 'bullmq';
import pg from 'pg';
import { followPool } from '../postgres/follow-pool.js';
import {
  type JobHandler,
  openQueue,
  openWorker,
  type QueueStore,
  type RawQueue,
  type RawWorker,
} from './queue-store.js';

const ROLE = 'trunkline_queues';
/** One for each worker, which listens on it for as long as it lives, and the rest for statements. */
const CONNECTIONS = 6;
const MAX_WORKERS = 3;
const IDLE_WAIT_S = 5;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** How long connections in use may take to come back when the pool is closed. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Longer than the server's own limit: it ends the wait for a server that does not answer at all. */
const QUERY_TIMEOUT_MS = 15_000;

/**
 * BullMQ on PostgreSQL: all queues in the schema `bullmq` (BullMQ looks there for a pool that it is given), over one
 * bounded pool whose connections take a role of their own: it may read and write these tables, may not change them, and
 * sees nothing else of the database.
 */
export class PostgresQueueStore implements QueueStore {
  readonly kind = 'postgres';
  readonly isReachable = true;
  private readonly pool: pg.Pool;
  private readonly endPool: () => Promise<void>;
  private readonly clients = new Set<pg.ClientBase & { end(): Promise<void> }>();
  private workers = 0;

  constructor(
    private readonly connectionString: string,
    onError: (error: Error) => void,
  ) {
    this.pool = new pg.Pool({
      connectionString,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'trunkline/queues',
      options: `-c role=${ROLE} -c search_path=${DEFAULT_SCHEMA} -c statement_timeout=${STATEMENT_TIMEOUT_MS}`,
    });
    this.endPool = followPool(this.pool);
    // Every queue and worker adds a listener of its own.
    this.pool.setMaxListeners(0);
    this.pool.on('error', onError);
    this.pool.on('connect', (client) => this.clients.add(client));
    this.pool.on('remove', (client) => this.clients.delete(client));
  }

  /**
   * Brings the schema up to what this release of BullMQ needs, as the login itself: safe in several processes at once.
   *
   * @throws when the database cannot be reached or the login may not make schemas and roles
   */
  async prepare(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.connectionString,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'trunkline/migrate/queues',
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await runMigrations(client, DEFAULT_SCHEMA);
      await grant(client);
    } catch (error) {
      throw new Error(`the queues' schema cannot be made: ${(error as Error).message}`, { cause: error });
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  newQueue(name: string): RawQueue {
    return openQueue(name, this.pool, '', createPostgresBackend);
  }

  newWorker(name: string, handler: JobHandler, concurrency: number): RawWorker {
    if (this.workers >= MAX_WORKERS) throw new Error(`at most ${MAX_WORKERS} workers share the queues' connections`);
    const settings = { name, handler, concurrency, prefix: '', drainDelay: IDLE_WAIT_S };
    const worker = openWorker(settings, this.pool, createPostgresBackend);
    this.workers++;
    const closed = once(() => this.workers--);
    return {
      on: (event, listener) => worker.on(event, listener),
      waitUntilReady: () => worker.waitUntilReady(),
      run: () => worker.run(),
      close: async () => {
        // Closed while it still connects, a worker would take a connection afterwards and never give it back.
        await worker.waitUntilReady().catch(() => undefined);
        await worker.close().finally(closed);
      },
      abort: () =>
        void worker
          .disconnect()
          .catch(() => undefined)
          .finally(closed),
    };
  }

  async close(): Promise<void> {
    const late = setTimeout(() => {
      for (const client of this.clients) void client.end().catch(() => undefined);
    }, CLOSE_TIMEOUT_MS);
    await this.endPool();
    clearTimeout(late);
  }
}

/** Roles belong to the whole server and grants to the schema: processes that start together take turns. */
async function grant(client: pg.Client): Promise<void> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', ['trunkline/migrate/queues']);
    await client.query(`
      do $$
      begin
        if not exists (select from pg_roles where rolname = '${ROLE}') then create role ${ROLE} nologin; end if;
      exception when duplicate_object or unique_violation then null;
      end $$;
      do $$
      begin
        -- Since PostgreSQL 16 a membership may come without the right to take the role.
        if not exists (
          select from pg_auth_members m
          where m.roleid = '${ROLE}'::regrole and m.member = current_user::regrole
            and coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
        ) then
          execute format('grant ${ROLE} to %I', current_user);
        end if;
      exception when duplicate_object or unique_violation then null;
      end $$;
      -- BullMQ makes a sequence for each queue when it is first used.
      grant usage, create on schema ${DEFAULT_SCHEMA} to ${ROLE};
      grant select, insert, update, delete on all tables in schema ${DEFAULT_SCHEMA} to ${ROLE};
      grant usage on all sequences in schema ${DEFAULT_SCHEMA} to ${ROLE};
    `);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

function once(effect: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) effect();
    isDone = true;
  };
}
