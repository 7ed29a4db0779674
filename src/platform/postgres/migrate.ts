import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

export interface MigrateOptions {
  /** A login that may create roles and schemas, or for which an administrator has made them. */
  readonly connectionString: string;
  /** The module's name, which is also its schema's. */
  readonly module: string;
  /** The directory with `<timestamp>_<name>/migration.sql`. */
  readonly dir: string;
  readonly log: { info(message: string): void };
}

/** One migration as it is on disk. */
interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** One row of the ledger. */
interface LedgerRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

/** The role that owns every module's schema and tables, so that no module can change its own tables' shape or rights. */
export const OWNER_ROLE = 'trunkline_owner';

const CONNECT_TIMEOUT_MS = 10_000;
// How long one process waits for another that migrates.
const LOCK_TIMEOUT_MS = 600_000;
const MAX_MIGRATIONS = 10_000;

/** The role that a module's connections take. */
export function moduleRole(module: string): string {
  return `trunkline_${module}`;
}

/**
 * Brings one module's schema up to date and returns the names of the migrations that were applied now.
 *
 * Roles and schema are made first. Each pending migration then runs in a transaction of its own, as the owner role,
 * together with its row in `_prisma_migrations`, which has the columns and checksums that Prisma Migrate writes; so
 * `prisma migrate deploy` can go on from here. Each transaction takes an advisory lock and reads the ledger anew:
 * processes that start together take turns, and no session state is needed, which a pooler could lose.
 *
 * Throws an error that names module and migration when one fails, was changed after it was applied, or is gone.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(options.module)) throw new Error(`'${options.module}' is no module name`);
  const migrations = await readMigrations(options);
  const client = new pg.Client({
    connectionString: options.connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: `trunkline/migrate/${options.module}`,
  });
  // A connection that breaks between two statements reports it here; the next statement says the same.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await inLockedTransaction(client, options.module, () => bootstrap(client, options.module));
    const applied: string[] = [];
    for (let turn = 0; turn <= migrations.length; turn++) {
      const name = await inLockedTransaction(client, options.module, () =>
        applyNext(client, options.module, migrations),
      );
      if (name === undefined) break;
      options.log.info(`${options.module}: applied migration ${name}`);
      applied.push(name);
    }
    return { applied };
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function readMigrations({ module, dir }: MigrateOptions): Promise<Migration[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    if (names.length > MAX_MIGRATIONS) throw new Error(`more than ${MAX_MIGRATIONS} in ${dir}`);
    const strange = names.find((name) => !/^\d{14}_\w{1,200}$/.test(name));
    if (strange !== undefined) throw new Error(`${join(dir, strange)} is not named <timestamp>_<name>`);
    const read = async (name: string) => ({ name, sql: await readFile(join(dir, name, 'migration.sql'), 'utf8') });
    return await Promise.all(names.sort().map(read));
  } catch (error) {
    throw new Error(`${module}: the migrations cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function inLockedTransaction<T>(client: pg.Client, module: string, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    await client.query(`set local statement_timeout = 0; set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`trunkline/migrate/${module}`]);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function bootstrap(client: pg.Client, module: string): Promise<void> {
  try {
    await ensureRole(client, OWNER_ROLE);
    await ensureRole(client, moduleRole(module));
    const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [module]);
    if (rowCount === 0) await client.query(`create schema "${module}" authorization ${OWNER_ROLE}`);
  } catch (error) {
    throw new Error(`${module}: its roles and schema cannot be made: ${messageOf(error)}`, { cause: error });
  }
  await client.query(`
    set local role ${OWNER_ROLE};
    revoke all on schema "${module}" from public;
    grant usage on schema "${module}" to ${moduleRole(module)};
    create table if not exists "${module}"._prisma_migrations (
      id varchar(36) primary key not null,
      checksum varchar(64) not null,
      finished_at timestamptz,
      migration_name varchar(255) not null,
      logs text,
      rolled_back_at timestamptz,
      started_at timestamptz not null default now(),
      applied_steps_count integer not null default 0
    )`);
}

/** Roles belong to the whole server, so another database's migration may make the same one at this very moment. */
async function ensureRole(client: pg.Client, role: string): Promise<void> {
  await client.query(`
    do $$
    begin
      if not exists (select from pg_roles where rolname = '${role}') then
        create role ${role} nologin;
      end if;
    exception when duplicate_object or unique_violation then null;
    end $$;
    do $$
    begin
      -- Since PostgreSQL 16 a membership may come without the right to take the role, which older ones lack a column for.
      if not exists (
        select from pg_auth_members m
        where m.roleid = '${role}'::regrole and m.member = current_user::regrole
          and coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
      ) then
        execute format('grant ${role} to %I', current_user);
      end if;
    exception when duplicate_object or unique_violation then null;
    end $$`);
}

/** Applies the first migration that is not in the ledger; undefined when all are. */
async function applyNext(client: pg.Client, module: string, migrations: Migration[]): Promise<string | undefined> {
  const done = await readLedger(client, module, migrations);
  const next = migrations.find(({ name }) => !done.has(name));
  if (!next) return undefined;
  await client.query(`set local role ${OWNER_ROLE}; set local search_path = "${module}"`);
  await runScript(client, module, next);
  await client.query(
    `insert into "${module}"._prisma_migrations
       (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     values ($1, $2, $3, now(), clock_timestamp(), 1)`,
    [randomUUID(), checksum(next.sql), next.name],
  );
  return next.name;
}

/** The names of the applied migrations, each proven to be the one on disk. */
async function readLedger(client: pg.Client, module: string, migrations: Migration[]): Promise<Set<string>> {
  const { rows } = await client.query<LedgerRow>(
    `select migration_name, checksum, finished_at from "${module}"._prisma_migrations
     where rolled_back_at is null order by started_at, migration_name`,
  );
  const onDisk = new Map(migrations.map(({ name, sql }) => [name, sql]));
  for (const { migration_name: name, checksum: recorded, finished_at } of rows) {
    const sql = onDisk.get(name);
    if (sql === undefined) throw new Error(`${module}: the applied migration ${name} is missing on disk`);
    if (!finished_at) throw new Error(`${module}: the migration ${name} failed earlier: see 'prisma migrate resolve'`);
    if (!matches(sql, recorded)) throw new Error(`${module}: the migration ${name} was changed after it was applied`);
  }
  return new Set(rows.map((row) => row.migration_name));
}

async function runScript(client: pg.Client, module: string, { name, sql }: Migration): Promise<void> {
  const transactionId = async () =>
    (await client.query<{ id: string }>('select pg_current_xact_id()::text as id')).rows[0]?.id;
  const before = await transactionId();
  try {
    await client.query(sql);
  } catch (error) {
    const { position } = error as pg.DatabaseError;
    const line =
      position === undefined ? '' : ` at line ${[...sql].slice(0, Number(position)).join('').split('\n').length}`;
    throw new Error(`${module}: the migration ${name} failed${line}: ${messageOf(error)}`, { cause: error });
  }
  if ((await transactionId()) !== before) throw new Error(`${module}: the migration ${name} ends its own transaction`);
}

/** Prisma's checksum of a migration: SHA-256 of the script, in hexadecimal. */
function checksum(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}

/** A checkout may have changed the line endings, which changes nothing else. */
function matches(sql: string, recorded: string): boolean {
  const unix = sql.replaceAll('\r\n', '\n');
  return [sql, unix, unix.replaceAll('\n', '\r\n')].some((text) => checksum(text) === recorded);
}

function messageOf(error: unknown): string {
  return (error as Partial<Error>).message ?? String(error);
}
