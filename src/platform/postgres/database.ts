import pg from 'pg';

/** What runs SQL: a pool, or the one connection of a transaction. */
export interface Queryable {
  query<R extends pg.QueryResultRow = pg.QueryResultRow>(
    query: pg.QueryConfig | string,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>>;
}

export interface ModuleDatabaseOptions {
  readonly module: string;
  readonly connectionString: string;
  /** Connections of the data plane: the hot statements of the send path and the consumers. */
  readonly dataConnections?: number;
  /** Connections of the control plane: ORM calls, lists, searches, the operator. */
  readonly controlConnections?: number;
  readonly onError?: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const DATA_STATEMENT_TIMEOUT_MS = 10_000;
const CONTROL_STATEMENT_TIMEOUT_MS = 60_000;

/**
 * One module's way to its own PostgreSQL schema. Every connection takes the module's role at its start, so another
 * module's table answers `permission denied` whatever the login may do. Two pools, so that a slow list or an audit
 * never takes a connection from the send path.
 */
export class ModuleDatabase implements Queryable {
  readonly module: string;
  readonly data: pg.Pool;
  readonly control: pg.Pool;

  constructor(options: ModuleDatabaseOptions) {
    this.module = options.module;
    // A generic plan made while a table was empty would be kept for ever; hot statements are planned each time.
    this.data = this.pool(options, options.dataConnections ?? 6, [
      '-c plan_cache_mode=force_custom_plan',
      `-c statement_timeout=${DATA_STATEMENT_TIMEOUT_MS}`,
    ]);
    this.control = this.pool(options, options.controlConnections ?? 4, [
      `-c statement_timeout=${CONTROL_STATEMENT_TIMEOUT_MS}`,
    ]);
  }

  /** Runs one statement on the data plane. */
  query<R extends pg.QueryResultRow>(query: pg.QueryConfig | string, values?: unknown[]): Promise<pg.QueryResult<R>> {
    return this.data.query<R>(query as string, values);
  }

  /**
   * Runs `work` in one transaction on the data plane: committed when it resolves, rolled back when it throws.
   * No contract may be called inside, and no second connection taken.
   */
  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const client = await this.data.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const result = await work(client as Queryable);
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.data.end(), this.control.end()]);
  }

  private pool(options: ModuleDatabaseOptions, max: number, settings: string[]): pg.Pool {
    const pool = new pg.Pool({
      connectionString: options.connectionString,
      max,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: `trunkline/${options.module}`,
      options: [
        `-c role=trunkline_${options.module}`,
        `-c search_path=${options.module}`,
        '-c timezone=UTC',
        ...settings,
      ].join(' '),
    });
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    pool.on('error', (error) => options.onError?.(error));
    return pool;
  }
}

const CONNECTION_TROUBLE =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after calling end/;

/**
 * Whether an error is the database's or the network's passing trouble (gone, restarting, overloaded, deadlocked),
 * which says nothing about the work that met it and is tried again.
 */
export function isTransientDatabaseError(error: unknown): boolean {
  // Errors of Node's core are no instances of this realm's Error under some runners: look at what they carry.
  if (typeof error !== 'object' || error === null) return false;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') {
    // 08 connection, 53 resources, 57 operator intervention, 58 system, 40 rollback, 55P03 lock timeout
    if (/^(08|53|57|58|40)/.test(code) || code === '55P03') return true;
    if (/^(ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND)/.test(code)) return true;
  }
  return typeof message === 'string' && CONNECTION_TROUBLE.test(message);
}
