import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { asSuperuser, MODULE } from './event-log.test-support.js';

/**
 * Copies the rows of a module's tables from one server into the tables of another, which has them from its migrations,
 * by way of files: what a dump does, where its tools are not at hand. All tables are read in one snapshot.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'trunkline-copy-'));
  // The servers may run as another user.
  await chmod(dir, 0o777);
  try {
    const tables = await asSuperuser(from, async (client) => {
      await client.query('begin isolation level repeatable read');
      const names = await tablesOf(client);
      for (const name of names) await client.query(`copy ${MODULE}.${name} to '${join(dir, name)}'`);
      await client.query('commit');
      return names;
    });
    await asSuperuser(to, async (client) => {
      await client.query("begin; set local session_replication_role = 'replica'");
      for (const name of tables) {
        await client.query(`truncate ${MODULE}.${name} cascade`);
        await client.query(`copy ${MODULE}.${name} from '${join(dir, name)}'`);
      }
      await client.query(`select setval('${MODULE}.effect_seq_seq', (select max(seq) from ${MODULE}.effect))`);
      await client.query('commit');
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Those that hold rows: partitions in place of what they are partitions of. */
async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = $1::regnamespace and relkind = 'r' order by 1",
    [MODULE],
  );
  return rows.map((row) => row.name);
}
