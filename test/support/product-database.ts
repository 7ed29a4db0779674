import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** Connects to the embedded PostgreSQL of a running product, as its superuser. */
export async function connectToDatabaseOf(dataDir: string): Promise<pg.Client> {
  const home = join(dataDir, 'postgres');
  const [password, pidFile] = await Promise.all([
    readFile(join(home, 'password'), 'utf8'),
    readFile(join(home, 'data', 'postmaster.pid'), 'utf8'),
  ]);
  const client = new pg.Client({
    host: '127.0.0.1',
    port: Number(pidFile.split('\n')[3]),
    user: 'trunkline',
    database: 'trunkline',
    password: password.trim(),
  });
  await client.connect();
  return client;
}

/** Every table that holds rows of its own, as `schema.name`, those of PostgreSQL itself left out. */
export async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** The tables with rows that hold one of the texts anywhere, and how many. */
export async function tablesHolding(client: pg.Client, texts: readonly string[]): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of await tablesOf(client)) {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from ${table} as t where exists (
          select from unnest($1::text[]) as wanted where strpos(to_jsonb(t)::text, wanted) > 0)`,
      [texts],
    );
    const count = rows[0]?.count ?? 0;
    if (count > 0) found[table] = count;
  }
  return found;
}
