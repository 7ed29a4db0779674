import pg from 'pg';
import { idFloor } from '../../shared/sid.js';

/** Events per partition of a log. */
export const EVENT_PARTITION_ROWS = 4_000_000;
/** Whole partitions before the log's head: at 20,000 events a second they last for 400 s. */
const BLOCKS_AHEAD = 2;
const WEEK_MS = 7 * 24 * 3600 * 1000;
const WEEKS_AHEAD = 4;
const LOCK_KEY = 7_468_301;
const CONNECT_TIMEOUT_MS = 10_000;
/** How long one process waits for another that makes the same partitions. */
const TURN_TIMEOUT_MS = 60_000;
/** How long a table may be kept from us, by a vacuum for instance, before this run is given up. */
const LOCK_TIMEOUT_MS = 5_000;

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
 * every start and every minute or so: a log that outgrows its partitions takes no more events. Attaching takes no lock
 * that a reader or writer would wait for.
 *
 * @param now instant in milliseconds
 * @returns the names of the partitions that were made
 */
export async function ensurePartitions(connectionString: string, module: string, now: number): Promise<string[]> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: '-c role=trunkline_owner',
    application_name: `trunkline/partitions/${module}`,
  });
  // A connection that breaks between two statements reports it here; the next statement says the same.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(`begin; set local lock_timeout = ${TURN_TIMEOUT_MS}`);
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCK_KEY, module]);
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    const made: string[] = [];
    for (const { table, key } of await partitionedTables(client, module)) {
      for (const partition of await wanted(client, module, table, key, now)) {
        if (await attach(client, module, table, partition)) made.push(partition.name);
      }
    }
    await client.query('commit');
    return made;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function wanted(
  client: pg.Client,
  module: string,
  table: string,
  key: string,
  now: number,
): Promise<Partition[]> {
  if (key === 'uuid') return weeks(table, now);
  if (table === 'event') return blocks(module, table, await headOf(client, module));
  throw new Error(`${module}.${table} is partitioned by a ${key}: nobody knows which partitions it will need`);
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
  return Array.from({ length: BLOCKS_AHEAD + 1 }, (_, index) => {
    const block = current + index;
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
  // It is not analysed while it is empty: one that never was is planned for ten pages and read by its index, one that
  // was found empty is read as a whole until the next analysis.
  for (const statement of partition.extra) await client.query(statement);
  return true;
}
