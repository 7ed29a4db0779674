import pg from 'pg';
import { idFloor } from '../../shared/sid.js';

/** Events per partition of a log. */
export const EVENT_PARTITION_ROWS = 4_000_000;
const WEEK_MS = 7 * 24 * 3600 * 1000;
const WEEKS_AHEAD = 4;
const LOCK_KEY = 7_468_301;

interface Partition {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Statements that the partition needs beyond what it takes from its parent. */
  readonly extra: readonly string[];
}

/**
 * Makes the partitions that the near future needs, for every partitioned table of a module: weeks for those partitioned
 * by a UUIDv7, blocks of positions for its event log. Idempotent, safe to run in several processes at once, and run at
 * every start and every hour. Attaching takes no lock that a reader or writer would wait for.
 *
 * @param now instant in milliseconds
 * @returns the names of the partitions that were made
 */
export async function ensurePartitions(connectionString: string, module: string, now: number): Promise<string[]> {
  const client = new pg.Client({ connectionString, options: '-c role=trunkline_owner -c lock_timeout=5000' });
  await client.connect();
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCK_KEY, module]);
    const made: string[] = [];
    for (const { table, key } of await partitionedTables(client, module)) {
      const wanted = key === 'uuid' ? weeks(table, now) : blocks(module, table, await headOf(client, module));
      for (const partition of wanted) {
        if (await attach(client, module, table, partition)) made.push(partition.name);
      }
    }
    await client.query('commit');
    return made;
  } finally {
    await client.end();
  }
}

async function partitionedTables(client: pg.Client, module: string): Promise<{ table: string; key: string }[]> {
  const { rows } = await client.query<{ table: string; key: string }>(
    `select c.relname as table, a.atttypid::regtype::text as key from pg_partitioned_table p
        join pg_class c on c.oid = p.partrelid
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
      where n.nspname = $1 order by 1`,
    [module],
  );
  return rows;
}

async function headOf(client: pg.Client, module: string): Promise<number> {
  const { rows } = await client.query<{ position: string }>(`select position from ${module}.event_head`);
  return Number(rows[0]?.position ?? 0);
}

function weeks(table: string, now: number): Partition[] {
  const first = Math.floor(now / WEEK_MS) - 1;
  return Array.from({ length: WEEKS_AHEAD + 2 }, (_, index) => {
    const start = (first + index) * WEEK_MS;
    return {
      name: `${table}_${new Date(start).toISOString().slice(0, 10).replaceAll('-', '')}`,
      from: `'${idFloor(start)}'`,
      to: `'${idFloor(start + WEEK_MS)}'`,
      extra: [],
    };
  });
}

function blocks(module: string, table: string, head: number): Partition[] {
  const current = Math.floor(head / EVENT_PARTITION_ROWS);
  return [current, current + 1].map((block) => {
    const name = `${table}_${block}`;
    return {
      name,
      from: String(block * EVENT_PARTITION_ROWS),
      to: String((block + 1) * EVENT_PARTITION_ROWS),
      extra: [`create unique index ${name}_stream_key on ${module}.${name} (stream_id, version)`],
    };
  });
}

async function attach(client: pg.Client, module: string, table: string, partition: Partition): Promise<boolean> {
  const { rows } = await client.query(
    'select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2',
    [module, partition.name],
  );
  if (rows.length > 0) return false;
  const name = `${module}.${partition.name}`;
  await client.query(`create table ${name} (like ${module}.${table} including all)`);
  await client.query(
    `alter table ${module}.${table} attach partition ${name} for values from (${partition.from}) to (${partition.to})`,
  );
  for (const statement of partition.extra) await client.query(statement);
  // A table that was never analysed is taken for tiny or for huge; statistics of an empty one are at least true.
  await client.query(`analyze ${name}`);
  return true;
}
