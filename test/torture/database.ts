import pg from 'pg';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/platform/embedded-postgres/embedded-postgres.js';
import { eventually } from '../support/eventually.js';
import { isAlive, postgresOf } from '../support/product.js';
import { connectToDatabaseOf } from '../support/product-database.js';
import { FaultProxy } from './fault-proxy.js';
import { sendSignal } from './signals.js';

const BACK_MS = 120_000;
const QUERY_TIMEOUT_MS = 300_000;

/**
 * The PostgreSQL below a data directory: a server that the harness runs for several processes, or the product's own.
 * Both are the same one, at different times.
 */
export class Database {
  private server: EmbeddedPostgres | null = null;
  private proxyToServer: FaultProxy | null = null;

  constructor(
    readonly dataDir: string,
    private readonly log: (line: string) => void,
  ) {}

  /** Runs the server for others. */
  async serve(): Promise<void> {
    const log = { info: this.log, warn: this.log };
    this.server = await startEmbeddedPostgres({ dataDir: this.dataDir, log, endsWithProcess: true });
    const { port } = new URL(this.server.url);
    this.proxyToServer = await FaultProxy.start(() => Number(port));
  }

  /** The way to the server that `serve` runs, or to it through the proxy. */
  url(isProxied: boolean): string {
    const url = new URL(this.server!.url);
    if (isProxied) {
      url.port = String(this.proxy!.port);
      // Where it names a socket, that leads past the proxy.
      url.searchParams.delete('host');
    }
    return url.href;
  }

  /** Null where the product runs its own. */
  get proxy(): FaultProxy | null {
    return this.proxyToServer;
  }

  /** kill -9 of the server and all that it started; whoever runs it brings it back. False where there was none. */
  async kill(): Promise<boolean> {
    const pids = await postgresOf(this.dataDir);
    if (pids.length === 0 || !isAlive(pids[0]!)) return false;
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    await eventually(() => pids.every((pid) => !isAlive(pid)), { what: 'PostgreSQL is dead' });
    return true;
  }

  /** Ends the server of `serve`; the data stay. */
  async stop(): Promise<void> {
    await this.proxyToServer?.stop();
    await this.server?.stop();
    this.proxyToServer = null;
    this.server = null;
  }

  /** Reads as the owner of everything, whoever runs the server at the moment; waits while it recovers. */
  async read<T extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    const client = await eventually(() => connectToDatabaseOf(this.dataDir), {
      timeoutMs: BACK_MS,
      everyMs: 200,
      what: 'the database can be read',
    });
    client.on('error', () => undefined);
    try {
      await client.query(`set default_transaction_read_only = on; set statement_timeout = ${QUERY_TIMEOUT_MS}`);
      return (await client.query<T>(sql, [...values])).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
