import pg from 'pg';
import { arrayLiteral } from './array-literal.js';
import { followPool } from './follow-pool.js';
import type { Retention } from './partition-care.js';
import { yieldCpu } from './yield-cpu.js';

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
  /** Connections of the control plane: ORM calls, single reads, the operator, readiness. */
  readonly controlConnections?: number;
  /** Connections for what may read much: lists, searches, the audit. */
  readonly searchConnections?: number;
  /** Whether the server is this process's own, on this machine: searches then give way to the send path. */
  readonly isOwnServer?: boolean;
  readonly onError?: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** A new connection reads the catalogue and plans every statement anew, tens of milliseconds beside whatever else runs. */
const IDLE_TIMEOUT_MS = 600_000;
const DATA_STATEMENT_TIMEOUT_MS = 10_000;
const CONTROL_STATEMENT_TIMEOUT_MS = 60_000;
/** An answer that is this late will not come: the server would have ended the statement long before. */
const DATA_ANSWER_TIMEOUT_MS = DATA_STATEMENT_TIMEOUT_MS + 5_000;
const DATA_IDLE_IN_TRANSACTION_MS = 5_000;
const CONTROL_IDLE_IN_TRANSACTION_MS = 60_000;
/** A list that takes longer is refused: nobody waits for it, and it would keep others waiting. */
const SEARCH_STATEMENT_TIMEOUT_MS = 5_000;
/** How long a list waits for one of the few connections before it is refused likewise. */
const SEARCH_TURN_TIMEOUT_MS = 5_000;
const SEARCH_IDLE_IN_TRANSACTION_MS = 10_000;
const SURVEY_STATEMENT_TIMEOUT_MS = 600_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
/** Deep enough for what the ORM and the drivers wrap around an error. */
const MAX_CAUSES = 5;

/**
 * One module's way to its own PostgreSQL schema. Every connection takes the module's role at its start, so another
 * module's table answers `permission denied` whatever the login may do. Three pools, so that no slow list and no audit
 * takes a connection from the send path, or from readiness and the operator. Each opens connections as they are needed
 * and closes those that are idle.
 */
export class ModuleDatabase implements Queryable {
  readonly module: string;
  /** How long the module keeps what, by partitioned table; one that is not named is kept for ever. */
  readonly retention: Readonly<Record<string, Retention>> = {};
  readonly data: pg.Pool;
  readonly control: pg.Pool;
  readonly search: pg.Pool;
  private readonly ends: readonly (() => Promise<void>)[];
  private isClosing = false;

  constructor(private readonly options: ModuleDatabaseOptions) {
    this.module = options.module;
    this.data = new pg.Pool({
      ...connection(options, [
        // Planning a hot statement costs as much as running it for a few dozen rows, so its plan is made once and kept.
        // It must not be that of an empty table: without sequential scans it goes through the indexes from the start.
        '-c plan_cache_mode=force_generic_plan',
        '-c enable_seqscan=off',
        `-c statement_timeout=${DATA_STATEMENT_TIMEOUT_MS}`,
        // A process that was stopped inside a transaction holds its locks, that of the log's head among them.
        `-c idle_in_transaction_session_timeout=${DATA_IDLE_IN_TRANSACTION_MS}`,
      ]),
      max: options.dataConnections ?? 6,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      query_timeout: DATA_ANSWER_TIMEOUT_MS,
    });
    this.control = new pg.Pool({
      ...connection(options, [
        `-c statement_timeout=${CONTROL_STATEMENT_TIMEOUT_MS}`,
        `-c idle_in_transaction_session_timeout=${CONTROL_IDLE_IN_TRANSACTION_MS}`,
      ]),
      max: options.controlConnections ?? 4,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
    });
    this.search = new pg.Pool({
      ...connection(options, [
        `-c statement_timeout=${SEARCH_STATEMENT_TIMEOUT_MS}`,
        `-c idle_in_transaction_session_timeout=${SEARCH_IDLE_IN_TRANSACTION_MS}`,
      ]),
      connectionTimeoutMillis: SEARCH_TURN_TIMEOUT_MS,
      max: options.searchConnections ?? 2,
    });
    if (options.isOwnServer)
      this.search.on('connect', (client) => yieldCpu(client as pg.PoolClient & { processID?: number }));
    const pools = [this.data, this.control, this.search];
    this.ends = pools.map(followPool);
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    for (const pool of pools) {
      pool.on('error', (error) => {
        if (!this.isClosing) options.onError?.(error);
      });
    }
  }

  /** Runs one statement on the data plane. */
  query<R extends pg.QueryResultRow>(query: pg.QueryConfig | string, values?: unknown[]): Promise<pg.QueryResult<R>> {
    return this.data.query<R>(withLiterals(query) as string, values?.map(arrayLiteral));
  }

  /**
   * Runs `work` in one transaction on the data plane: committed when it resolves, rolled back when it throws.
   * No contract may be called inside, and no second connection taken.
   *
   * @throws what `work` threw, or what the database says; an error of the connection at the commit leaves open whether
   * it was committed
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return inTransaction(this.data, 'begin', work);
  }

  /**
   * Runs `work` in one read-only snapshot on a connection for searches, whose statements may take minutes: for the
   * audit. Keep it short all the same: while a snapshot is held, no table can be rid of its dead rows.
   */
  survey<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const begin = `begin isolation level repeatable read read only; set local statement_timeout = ${SURVEY_STATEMENT_TIMEOUT_MS}`;
    return inTransaction(this.search, begin, work);
  }

  /** The database that it is in, to tell whether another module shares it. */
  get server(): string {
    return this.options.connectionString;
  }

  /** See ModuleDatabaseOptions. */
  get isOwnServer(): boolean {
    return this.options.isOwnServer ?? false;
  }

  /** A connection outside the pools, not connected yet, for what needs a session for long; its user ends it. */
  session(): pg.Client {
    return new pg.Client({
      // What is told here is lost in a crash anyhow: its commits need not wait for the disk.
      ...connection(this.options, [`-c statement_timeout=${DATA_STATEMENT_TIMEOUT_MS}`, '-c synchronous_commit=off']),
      query_timeout: DATA_ANSWER_TIMEOUT_MS,
    });
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await Promise.all(this.ends.map((end) => end()));
  }
}

async function inTransaction<T>(pool: pg.Pool, begin: string, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onBroken = (error: Error) => {
    broken = error;
  };
  // The pool does not listen to a connection that is in use: its break between two statements would end the process.
  client.on('error', onBroken);
  try {
    await client.query(begin);
    const result = await work({
      query: (query, values) => client.query(withLiterals(query) as string, values?.map(arrayLiteral)),
    });
    const { command } = await client.query('commit');
    // PostgreSQL answers so, and not with an error, when `work` swallowed the error of a statement.
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back: one of its statements had failed');
    return result;
  } catch (error) {
    if (isConnectionTrouble(error)) broken ??= error as Error;
    if (!broken) await client.query('rollback').catch(onBroken);
    throw error;
  } finally {
    client.off('error', onBroken);
    client.release(broken);
  }
}

function withLiterals(query: pg.QueryConfig | string): pg.QueryConfig | string {
  if (typeof query === 'string' || !query.values) return query;
  return { ...query, values: query.values.map(arrayLiteral) };
}

function connection(options: ModuleDatabaseOptions, settings: readonly string[]): pg.PoolConfig {
  return {
    connectionString: options.connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    application_name: `trunkline/${options.module}`,
    options: [
      `-c role=trunkline_${options.module}`,
      `-c search_path=${options.module}`,
      '-c timezone=UTC',
      ...settings,
    ].join(' '),
  };
}

// 08 connection, 53 resources, 57 operator intervention, 58 system, 40 rollback, 55P03 lock timeout, 25P03 and 25P04
// transaction timeouts, 25006 a standby that has not been promoted yet; then those of the network
const PASSING_CODE =
  /^(08|53|57|58|40|55P03|25P0[34]|25006|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND)/;
/** Of a connection over a Unix-domain socket: the server is away and has taken its socket along, or its queue is full. */
const PASSING_CODE_OF_CONNECT = /^(ENOENT|EAGAIN)$/;
/** How the ORM's driver adapter names the same. */
const PASSING_KIND =
  /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections|TransactionWriteConflict)$/;
const CONNECTION_TROUBLE =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|Cannot use a pool after calling end/;

interface Carried {
  readonly code?: unknown;
  readonly syscall?: unknown;
  /** The ORM's errors have it; of what its driver met they keep the code alone. */
  readonly clientVersion?: unknown;
  readonly kind?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly meta?: { readonly driverAdapterError?: unknown };
}

/**
 * Whether an error is the database's or the network's passing trouble (gone, restarting, overloaded, deadlocked),
 * which says nothing about the work that met it and is tried again. The ORM's errors count like the driver's, and so
 * does an error whose cause is one of them.
 */
export function isTransientDatabaseError(error: unknown): boolean {
  let next = error;
  for (let depth = 0; depth < MAX_CAUSES; depth++) {
    // Errors of Node's core are no instances of this realm's Error under some runners: look at what they carry.
    if (typeof next !== 'object' || next === null) return false;
    const { code, syscall, clientVersion, kind, cause, meta } = next as Carried;
    if (typeof code === 'string' && PASSING_CODE.test(code)) return true;
    const isOfConnect = syscall === 'connect' || clientVersion !== undefined;
    if (typeof code === 'string' && isOfConnect && PASSING_CODE_OF_CONNECT.test(code)) return true;
    if (typeof kind === 'string' && PASSING_KIND.test(kind)) return true;
    if (isConnectionTrouble(next)) return true;
    next = cause ?? meta?.driverAdapterError;
  }
  return false;
}

function isConnectionTrouble(error: unknown): boolean {
  const message = (error as Carried | null | undefined)?.message;
  return typeof message === 'string' && CONNECTION_TROUBLE.test(message);
}
