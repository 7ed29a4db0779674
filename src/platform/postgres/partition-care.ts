import pg from 'pg';
import { yieldCpu } from './yield-cpu.js';

/** How long messages, what belongs to them, and events are kept. */
export const RETENTION_MS = 90 * 24 * 3600 * 1000;

/** How long rows are kept that nothing is left to do with, by table. Weeks and blocks go as a whole. */
export interface Retention {
  readonly keepMs: number;
  /** An SQL condition on the table's columns: a row that it holds for keeps its partition, however old. */
  readonly live: string;
}

export interface Expiry {
  /** By partitioned table; one that is not named is kept for ever. The events' log has its own rule. */
  readonly tables: Readonly<Record<string, Retention>>;
  /** Events older than this go, up to the position that every consumer has passed. */
  readonly events: { readonly keepMs: number; readonly passed: number };
}

const LOCK_KEY = 7_468_302;
const CONNECT_TIMEOUT_MS = 10_000;
/** What holds a partition for longer is left in peace until the next round. */
const LOCK_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 60_000;
/** Changes since the last analysis that make another one worth its while: some, and a good part of the whole. */
const ANALYSE_AFTER_ROWS = 5_000;
const ANALYSE_AFTER_SHARE = 1;
/** A fifth of the usual sample: every path to these tables is by a key, and the usual one took a twentieth of the peak's CPU. */
const STATISTICS_TARGET = 20;

interface Partition {
  readonly table: string;
  readonly name: string;
  /** The upper bound as PostgreSQL prints it; null for one that a broken run left detached. */
  readonly bound: string | null;
}

/**
 * Analyses the partitions that are being filled: the first time when they have some thousand rows, which is before
 * autovacuum comes, and again as they grow. Reads a sample; keeps nobody waiting.
 *
 * @param isOwnServer whether the server is this process's own: it then gives way to the send path
 * @returns the names of what was analysed
 */
export function analyseGrowing(connectionString: string, module: string, isOwnServer = false): Promise<string[]> {
  return alone(connectionString, module, async (client) => {
    if (isOwnServer) yieldCpu(client as pg.Client & { processID?: number });
    const { rows } = await client.query<{ name: string }>(
      `select c.relname as name from pg_stat_all_tables s join pg_class c on c.oid = s.relid
        where s.schemaname = $1 and c.relispartition and c.relkind = 'r'
          and s.n_mod_since_analyze >= greatest($2::float8, $3::float8 * c.reltuples) order by 1`,
      [module, ANALYSE_AFTER_ROWS, ANALYSE_AFTER_SHARE],
    );
    await client.query(`set default_statistics_target = ${STATISTICS_TARGET}`);
    for (const { name } of rows) await client.query(`analyze ${module}.${name}`);
    return rows.map((row) => row.name);
  });
}

/**
 * Drops the partitions whose time is over and in which nothing is live. A partition is detached first, which waits for
 * nobody's query and keeps nobody's waiting, looked through once more where nobody can reach it, and then dropped; one
 * that turns out to be live is attached again. A run that breaks off is finished by the next one.
 *
 * @param now instant in milliseconds
 * @returns the names of what was dropped
 */
export function dropExpired(connectionString: string, module: string, expiry: Expiry, now: number): Promise<string[]> {
  return alone(connectionString, module, async (client) => {
    await finishDetaching(client, module);
    const dropped: string[] = [];
    for (const table of ['event', ...Object.keys(expiry.tables)]) {
      const live = table === 'event' ? eventIsLive(expiry, now) : expiry.tables[table]!.live;
      for (const partition of await oldestFirst(client, module, table)) {
        if (!(await isExpired(client, module, partition, live, now, expiry))) {
          if (partition.bound === null) await attachAgain(client, module, partition);
          break;
        }
        if (await remove(client, module, partition, live)) dropped.push(partition.name);
      }
    }
    return dropped;
  });
}

/** Whether an event must stay: it is young, or somebody has not heard it yet. */
function eventIsLive({ events }: Expiry, now: number): string {
  return `position > ${Math.trunc(events.passed)} or occurred_at > to_timestamp(${(now - events.keepMs) / 1000})`;
}

async function isExpired(
  client: pg.Client,
  module: string,
  partition: Partition,
  live: string,
  now: number,
  expiry: Expiry,
): Promise<boolean> {
  if (partition.bound !== null) {
    if (partition.table === 'event') {
      // The block that is being filled has no last event yet.
      if (Number(partition.bound) > expiry.events.passed) return false;
    } else if (instantOf(partition.bound) > now - expiry.tables[partition.table]!.keepMs) return false;
  }
  return !(await holds(client, module, partition, live));
}

async function holds(client: pg.Client, module: string, { name }: Partition, live: string): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(
    `select exists (select 1 from ${module}.${name} where ${live}) as held`,
  );
  return rows[0]!.held;
}

async function remove(client: pg.Client, module: string, partition: Partition, live: string): Promise<boolean> {
  const { table, name, bound } = partition;
  const full = `${module}.${name}`;
  if (bound !== null) {
    const { rows } = await client.query<{ range: string }>(
      `select pg_get_expr(relpartbound, oid) as range from pg_class where oid = $1::regclass`,
      [full],
    );
    // A run that breaks off after this leaves what is needed to attach it again.
    await client.query(`comment on table ${full} is ${client.escapeLiteral(rows[0]!.range)}`);
    await client.query(`alter table ${module}.${table} detach partition ${full} concurrently`);
    if (await holds(client, module, partition, live)) {
      await attachAgain(client, module, partition);
      return false;
    }
  }
  await client.query(`drop table ${full}`);
  return true;
}

/** One that was detached and is live after all. */
async function attachAgain(client: pg.Client, module: string, { table, name }: Partition): Promise<void> {
  const full = `${module}.${name}`;
  const { rows } = await client.query<{ range: string | null }>(
    `select obj_description($1::regclass, 'pg_class') as range`,
    [full],
  );
  if (!rows[0]?.range) throw new Error(`${full} is detached, holds what is live, and does not say where it belongs`);
  await client.query(`alter table ${module}.${table} attach partition ${full} ${rows[0].range}`);
}

/** Partitions of a table and what a broken run detached from it, in the order of their names, which is that of time. */
async function oldestFirst(client: pg.Client, module: string, table: string): Promise<Partition[]> {
  const { rows } = await client.query<{ name: string; range: string | null }>(
    `select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as range
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relkind = 'r' and c.relname ~ $2 order by length(c.relname), c.relname`,
    [module, `^${table}_[0-9]+$`],
  );
  return rows.map(({ name, range }) => {
    const bound = range === null ? null : (/TO \('([^']+)'\)/i.exec(range)?.[1] ?? null);
    if (range !== null && bound === null) throw new Error(`${module}.${name} has bounds that nobody knows: ${range}`);
    return { table, name, bound };
  });
}

async function finishDetaching(client: pg.Client, module: string): Promise<void> {
  const { rows } = await client.query<{ parent: string; name: string }>(
    `select i.inhparent::regclass::text as parent, i.inhrelid::regclass::text as name
      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and i.inhdetachpending`,
    [module],
  );
  for (const { parent, name } of rows) await client.query(`alter table ${parent} detach partition ${name} finalize`);
}

/** The instant in a UUIDv7, in milliseconds. */
function instantOf(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16);
}

/** Runs on a connection of its own as the owner of the tables; nothing happens while another process is at it. */
async function alone(
  connectionString: string,
  module: string,
  work: (client: pg.Client) => Promise<string[]>,
): Promise<string[]> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: `-c role=trunkline_owner -c lock_timeout=${LOCK_TIMEOUT_MS} -c statement_timeout=${STATEMENT_TIMEOUT_MS}`,
    application_name: `trunkline/partitions/${module}`,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as mine', [
      LOCK_KEY,
      module,
    ]);
    return rows[0]!.mine ? await work(client) : [];
  } finally {
    await client.end().catch(() => undefined);
  }
}
