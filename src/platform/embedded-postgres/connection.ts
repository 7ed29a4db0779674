import pg from 'pg';
import { type Cluster, LOGIN } from './cluster.js';

const ANSWER_TIMEOUT_MS = 5_000;

/** The address of the cluster's server on a port. */
export function connectionUrl(cluster: Cluster, port: number, database: string = LOGIN): string {
  return `postgresql://${LOGIN}:${cluster.password}@127.0.0.1:${port}/${database}`;
}

/** Whether the server on that port answers, and is the one that serves this cluster. */
export async function answers(cluster: Cluster, port: number): Promise<boolean> {
  try {
    return await withClient(cluster, port, async (client) => {
      const { rows } = await client.query<{ dir: string }>(`select current_setting('data_directory') as dir`);
      return rows[0]?.dir === cluster.pgdata;
    });
  } catch {
    return false;
  }
}

/** Makes the product's own database if there is none yet. */
export async function ensureDatabase(cluster: Cluster, port: number): Promise<void> {
  await withClient(cluster, port, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [LOGIN]);
    if (rowCount === 0) await client.query(`create database ${LOGIN}`);
  });
}

async function withClient<T>(cluster: Cluster, port: number, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: connectionUrl(cluster, port, 'postgres'),
    connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  });
  // A server that dies while idle reports it here; the next query says the same.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
