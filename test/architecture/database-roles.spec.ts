import pg from 'pg';
import { ModuleDatabase } from '../../src/platform/postgres/database.js';
import { moduleRole, OWNER_ROLE } from '../../src/platform/postgres/migrate.js';
import { Queues } from '../../src/platform/queues/queues.js';
import { MODULES, type ModuleName } from '../../src/platform/settings/settings.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';

/*
 * The roles catch what no static rule sees: SQL in strings, computed names, a client opened by hand. They are a rail
 * against mistakes and no wall against a module that means harm: all modules log in as one user, which owns the right to
 * take every role, so that `set role none` leads back to it. Whoever wants the wall gives each module a login of its own
 * in <MODULE>_DATABASE_URL.
 */

const QUEUES_ROLE = 'trunkline_queues';
const PERMISSION_DENIED = '42501';
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** Written once and never again: what happened, and who paid whom. */
const IMMUTABLE: Partial<Record<ModuleName, readonly string[]>> = { billing: ['entry', 'credit'] };

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly column: string;
  /** The table that it is a part of. */
  readonly parent: string | null;
}

let server: TestDatabase;
let login: pg.Client;
let tables: Table[];
let databases: Map<ModuleName, ModuleDatabase>;

beforeAll(async () => {
  server = await startTestDatabase();
  const queues = new Queues({ connectionString: server.url, redisUrl: undefined, log: quiet });
  await queues.prepare();
  await queues.close();
  login = new pg.Client({ connectionString: server.url });
  await login.connect();
  tables = await readTables(login);
  databases = new Map(MODULES.map((module) => [module, new ModuleDatabase({ module, connectionString: server.url })]));
}, 60_000);

afterAll(async () => {
  for (const database of databases?.values() ?? []) await database.close();
  await login?.end();
  await server?.stop();
});

async function readTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `select n.nspname as schema, c.relname as name, i.inhparent::regclass::text as parent,
        (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 order by a.attnum limit 1) as column
      from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        left join pg_inherits i on i.inhrelid = c.oid
      where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
      order by 1, 2`,
  );
  return rows;
}

const tableOf = ({ schema, name }: Table) => `"${schema}"."${name}"`;
const belongsTo = (table: Table, module: string) => table.schema === module;

/** One statement of each kind that reads or changes a table. */
function statements(table: Table): Record<string, string> {
  const [name, column] = [tableOf(table), `"${table.column}"`];
  return {
    select: `select from ${name} limit 0`,
    insert: `insert into ${name} (${column}) select ${column} from ${name} limit 0`,
    update: `update ${name} set ${column} = default where false`,
    delete: `delete from ${name} where false`,
    truncate: `truncate ${name}`,
  };
}

/** Statements that are not refused for want of rights, by what they are. All are tried in one round trip. */
async function allowed(database: ModuleDatabase, on: readonly Table[], kinds: readonly string[]): Promise<string[]> {
  const asked = on.flatMap((table) =>
    Object.entries(statements(table)).flatMap(([kind, text]) => (kinds.includes(kind) ? [text] : [])),
  );
  return database.transaction(async (tx) => {
    await tx.query(`do $do$
      declare
        asked text;
        found text[] := '{}';
      begin
        for asked in select jsonb_array_elements_text($json$${JSON.stringify(asked)}$json$::jsonb) loop
          begin
            execute asked;
            found := found || (asked || ': done');
          exception
            when insufficient_privilege then null;
            when others then found := found || (asked || ': ' || sqlstate);
          end;
        end loop;
        perform set_config('tried.found', to_json(found)::text, true);
      end $do$`);
    const { rows } = await tx.query<{ found: string }>(`select current_setting('tried.found') as found`);
    return JSON.parse(rows[0]!.found) as string[];
  });
}

/** Rights that hold by the catalogue, which a missing right to the schema does not hide. */
async function granted(role: string, on: readonly Table[], rights: readonly string[]): Promise<string[]> {
  const { rows } = await login.query<{ right: string }>(
    `select r || ' on ' || t as right from unnest($2::text[]) as t, unnest($3::text[]) as r
      where has_table_privilege($1, t, r)`,
    [role, on.map(tableOf), rights],
  );
  return rows.map(({ right }) => `${role}: ${right}`);
}

const EVERYTHING = ['select', 'insert', 'update', 'delete', 'truncate'];
const CHANGES = ['update', 'delete', 'truncate'];
const RIGHTS = ['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'];

it('sees the modules, their tables, and the partitions', () => {
  expect(MODULES.length).toBeGreaterThanOrEqual(5);
  for (const module of MODULES) {
    const own = tables.filter((table) => belongsTo(table, module));
    expect(own.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['event', 'event_head', 'event_0', 'consumer', 'parked_event', '_prisma_migrations']),
    );
    expect(own.length).toBeGreaterThan(7);
  }
  expect(tables.filter(({ schema }) => schema === 'bullmq')).not.toEqual([]);
  expect(tables.filter(({ parent }) => parent === 'billing.entry').length).toBeGreaterThan(1);
});

describe.each(MODULES)('the role of %s', (module) => {
  it('is what the connections of the module have', async () => {
    for (const pool of [databases.get(module)!.data, databases.get(module)!.control]) {
      const { rows } = await pool.query<{ role: string }>('select current_user as role');
      expect(rows).toEqual([{ role: moduleRole(module) }]);
    }
  });

  it('cannot log in, is no superuser, and can become nobody else', async () => {
    const { rows } = await login.query(
      `select rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
          array(select other.rolname::text from pg_roles other
            where pg_has_role(r.oid, other.oid, 'member') and other.oid <> r.oid) as becomes
        from pg_roles r where rolname = $1`,
      [moduleRole(module)],
    );
    expect(rows).toEqual([
      {
        rolcanlogin: false,
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        becomes: [],
      },
    ]);
  });

  it("reads and changes no table of another module, nor the queues'", async () => {
    const others = tables.filter((table) => !belongsTo(table, module));
    expect(others.length).toBeGreaterThan(30);
    expect(await allowed(databases.get(module)!, others, EVERYTHING)).toEqual([]);
    expect(await granted(moduleRole(module), others, RIGHTS)).toEqual([]);
  });

  it('changes and removes nothing that is written once and for all', async () => {
    const names = ['event', ...(IMMUTABLE[module] ?? [])];
    const immutable = tables.filter(
      (table) => belongsTo(table, module) && (names.includes(table.name) || isPartOf(table, module, names)),
    );
    expect(immutable.map(({ name }) => name)).toEqual(expect.arrayContaining([...names, 'event_0', 'event_1']));
    expect(await allowed(databases.get(module)!, immutable, CHANGES)).toEqual([]);
    expect(await granted(moduleRole(module), immutable, [...CHANGES, 'trigger'])).toEqual([]);
  });

  it('works on its own tables through their parents alone', async () => {
    const partitions = tables.filter((table) => belongsTo(table, module) && table.parent !== null);
    expect(partitions).not.toEqual([]);
    expect(await granted(moduleRole(module), partitions, RIGHTS)).toEqual([]);
    await expect(databases.get(module)!.query('select from event limit 0')).resolves.toBeDefined();
  });

  it('cannot change the shape of its tables, nor what was migrated', async () => {
    const database = databases.get(module)!;
    for (const statement of [
      'alter table event add column extra text',
      'alter table event disable trigger all',
      'drop table event',
      'create table extra (id int)',
      `create table ${module}.extra (id int)`,
      `alter table event owner to ${moduleRole(module)}`,
      'select from _prisma_migrations',
    ]) {
      const error = await database.query(statement).then(
        () => statement,
        (refused: pg.DatabaseError) => refused.code,
      );
      expect([statement, error]).toEqual([statement, PERMISSION_DENIED]);
    }
    // No error but a warning: whoever owns nothing grants nothing.
    await database.query(`grant delete on event to ${moduleRole(module)}`);
    const event = tables.filter((table) => belongsTo(table, module) && table.name === 'event');
    expect(event).toHaveLength(1);
    expect(await granted(moduleRole(module), event, CHANGES)).toEqual([]);
  });
});

it('lets the queues see nothing but themselves', async () => {
  const others = tables.filter(({ schema }) => schema !== 'bullmq');
  expect(await granted(QUEUES_ROLE, others, RIGHTS)).toEqual([]);
  const { rows } = await login.query(
    `select nspname from pg_namespace
      where nspname = any($2) and has_schema_privilege($1, oid, 'usage')`,
    [QUEUES_ROLE, MODULES],
  );
  expect(rows).toEqual([]);
});

it('leaves every table of a module to the one owner', async () => {
  const { rows } = await login.query<{ owner: string }>(
    'select distinct tableowner as owner from pg_tables where schemaname = any($1)',
    [MODULES],
  );
  expect(rows).toEqual([{ owner: OWNER_ROLE }]);
});

it('would see a right too many', async () => {
  const accounts = tables.filter(({ schema, name }) => schema === 'accounts' && name === 'api_key');
  const billing = databases.get('billing')!;
  await login.query('grant usage on schema accounts to trunkline_billing; grant select on accounts.api_key to public');
  try {
    expect(await allowed(billing, accounts, EVERYTHING)).toEqual(['select from "accounts"."api_key" limit 0: done']);
    expect(await granted(moduleRole('billing'), accounts, RIGHTS)).toEqual([
      'trunkline_billing: select on "accounts"."api_key"',
    ]);
  } finally {
    await login.query(
      'revoke usage on schema accounts from trunkline_billing; revoke select on accounts.api_key from public',
    );
  }
});

function isPartOf({ parent }: Table, module: string, names: readonly string[]): boolean {
  return parent !== null && names.some((name) => parent === `${module}.${name}`);
}
