import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { MODULES } from '../../src/platform/settings/settings.js';

/** Sessions hand in their counts within seconds, those that are idle at once. */
const HANDED_IN_MS = 3_000;

/** Rows inserted, updated and deleted so far in the tables of the product, by table; partitions count for their parent. */
export async function readRowWrites(databaseUrl: string): Promise<Map<string, number>> {
  await delay(HANDED_IN_MS);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; writes: string }>(
      `select s.schemaname || '.' || coalesce(parent.relname, s.relname) as name,
          sum(n_tup_ins + n_tup_upd + n_tup_del) as writes
        from pg_stat_user_tables s
          left join pg_inherits i on i.inhrelid = s.relid
          left join pg_class parent on parent.oid = i.inhparent
        where s.schemaname = any($1) group by 1`,
      [[...MODULES, 'bullmq']],
    );
    return new Map(rows.map(({ name, writes }) => [name, Number(writes)]));
  } finally {
    await client.end();
  }
}
