import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../embedded-postgres/embedded-postgres.js';
import { migrate } from './migrate.js';

const quiet = { info: () => undefined, warn: () => undefined };

let root: string;
let server: EmbeddedPostgres;
let databases = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trunkline-migrate-'));
  server = await startEmbeddedPostgres({ dataDir: join(root, 'data'), log: quiet, endsWithProcess: true });
});

afterAll(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

async function query<R extends pg.QueryResultRow>(url: string, sql: string, options?: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url, options });
  await client.connect();
  try {
    return (await client.query<R>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function freshDatabase(): Promise<string> {
  const name = `migrate_${++databases}`;
  await query(server.url, `create database ${name}`);
  return server.url.replace(/[^/]+$/, name);
}

async function folder(migrations: Record<string, string>): Promise<string> {
  const dir = await mkdtemp(join(root, 'migrations-'));
  for (const [name, sql] of Object.entries(migrations)) await write(dir, name, sql);
  return dir;
}

async function write(dir: string, name: string, sql: string): Promise<void> {
  await mkdir(join(dir, name), { recursive: true });
  await writeFile(join(dir, name, 'migration.sql'), sql);
}

const FIRST = '20260101000000_first';
const SECOND = '20260102000000_second';
const CREATE_ENTRY = 'create table entry (id int primary key); grant select, insert on entry to trunkline_billing;';

describe('migrate', () => {
  it('applies what is pending, in order, and nothing the next time', async () => {
    const connectionString = await freshDatabase();
    const dir = await folder({ [SECOND]: 'alter table entry add note text', [FIRST]: CREATE_ENTRY });
    const options = { connectionString, module: 'billing', dir, log: quiet };
    expect(await migrate(options)).toEqual({ applied: [FIRST, SECOND] });
    expect(await migrate(options)).toEqual({ applied: [] });
    await write(dir, '20260103000000_third', 'create index on entry (note)');
    expect(await migrate(options)).toEqual({ applied: ['20260103000000_third'] });
  });

  it('keeps the ledger as Prisma does', async () => {
    const connectionString = await freshDatabase();
    const dir = await folder({ [FIRST]: CREATE_ENTRY });
    await migrate({ connectionString, module: 'billing', dir, log: quiet });
    const [row] = await query(connectionString, 'select * from billing._prisma_migrations');
    expect(row).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      checksum: createHash('sha256').update(CREATE_ENTRY).digest('hex'),
      migration_name: FIRST,
      started_at: expect.any(Date),
      finished_at: expect.any(Date),
      rolled_back_at: null,
      logs: null,
      applied_steps_count: 1,
    });
  });

  it('gives the tables to the owner and the module what its migrations grant', async () => {
    const connectionString = await freshDatabase();
    const dir = await folder({ [FIRST]: CREATE_ENTRY });
    await migrate({ connectionString, module: 'billing', dir, log: quiet });
    await migrate({ connectionString, module: 'accounts', dir: await folder({}), log: quiet });
    const [owner] = await query(connectionString, `select tableowner from pg_tables where tablename = 'entry'`);
    expect(owner).toEqual({ tableowner: 'trunkline_owner' });

    const billing = '-c role=trunkline_billing -c search_path=billing';
    await query(connectionString, 'insert into entry values (1)', billing);
    await expect(query(connectionString, 'delete from entry', billing)).rejects.toMatchObject({ code: '42501' });
    await expect(query(connectionString, 'create table other ()', billing)).rejects.toMatchObject({ code: '42501' });
    await expect(query(connectionString, 'table billing.entry', '-c role=trunkline_accounts')).rejects.toMatchObject({
      code: '42501',
    });
  });

  it('works for a login that is no superuser', async () => {
    const superuser = await freshDatabase();
    const database = new URL(superuser).pathname.slice(1);
    await query(
      superuser,
      `create role operator login createrole password 'pw'; grant create on database ${database} to operator`,
    );
    const url = new URL(superuser);
    url.username = 'operator';
    url.password = 'pw';
    // The owner role is another login's work here, as when an administrator has prepared the server.
    await migrate({ connectionString: superuser, module: 'tickets', dir: await folder({}), log: quiet });
    await query(superuser, 'grant trunkline_owner, trunkline_tickets to operator');
    const dir = await folder({ [FIRST]: 'create table ticket (id int)' });
    const done = await migrate({ connectionString: url.href, module: 'tickets', dir, log: quiet });
    expect(done).toEqual({ applied: [FIRST] });
    await migrate({ connectionString: url.href, module: 'parcels', dir, log: quiet });
    await query(url.href, 'select 1', '-c role=trunkline_parcels');
  });

  it('sends the script as a whole, so that bodies in $$ and semicolons in strings stay whole', async () => {
    const connectionString = await freshDatabase();
    const dir = await folder({
      [FIRST]: `create function twice(n int) returns int language plpgsql as $$ begin n := n * 2; return n; end $$;
        create table entry (id int, note text default 'a;b'); -- a; comment`,
    });
    await migrate({ connectionString, module: 'billing', dir, log: quiet });
    expect(await query(connectionString, 'select billing.twice(4)')).toEqual([{ twice: 8 }]);
  });

  it('lets one of several processes migrate while the others wait', async () => {
    const connectionString = await freshDatabase();
    const dir = await folder({
      [FIRST]: CREATE_ENTRY,
      [SECOND]: 'select pg_sleep(0.1); alter table entry add note text',
    });
    const runs = await Promise.all(
      Array.from({ length: 4 }, () => migrate({ connectionString, module: 'billing', dir, log: quiet })),
    );
    expect(runs.flatMap((run) => run.applied).sort()).toEqual([FIRST, SECOND]);
  });

  it('makes the same roles from several databases at once', async () => {
    const urls = await Promise.all(Array.from({ length: 4 }, freshDatabase));
    const dir = await folder({});
    await Promise.all(urls.map((connectionString) => migrate({ connectionString, module: 'crowd', dir, log: quiet })));
    await query(server.url, 'select 1', '-c role=trunkline_crowd');
  });

  it('undoes a migration that fails, names the line, and goes on when it is repaired', async () => {
    const connectionString = await freshDatabase();
    const dir = await folder({
      [FIRST]: CREATE_ENTRY,
      [SECOND]: "alter table entry add note text;\nselect '£', nonsense;",
    });
    const options = { connectionString, module: 'billing', dir, log: quiet };
    await expect(migrate(options)).rejects.toThrow(
      `billing: the migration ${SECOND} failed at line 2: column "nonsense"`,
    );
    await write(dir, SECOND, 'alter table entry add note text');
    expect(await migrate(options)).toEqual({ applied: [SECOND] });
  });

  it('refuses a migration that was changed, and takes one with other line endings', async () => {
    const connectionString = await freshDatabase();
    const dir = await folder({ [FIRST]: `${CREATE_ENTRY}\n-- end\n` });
    const options = { connectionString, module: 'billing', dir, log: quiet };
    await migrate(options);
    await write(dir, FIRST, `${CREATE_ENTRY}\r\n-- end\r\n`);
    expect(await migrate(options)).toEqual({ applied: [] });
    await write(dir, FIRST, `${CREATE_ENTRY}\n-- END\n`);
    await expect(migrate(options)).rejects.toThrow(`billing: the migration ${FIRST} was changed after it was applied`);
  });

  it('refuses an applied migration that is missing, or that failed under another tool', async () => {
    const connectionString = await freshDatabase();
    const dir = await folder({ [FIRST]: CREATE_ENTRY });
    const options = { connectionString, module: 'billing', dir, log: quiet };
    await migrate(options);
    await expect(migrate({ ...options, dir: await folder({}) })).rejects.toThrow(
      `billing: the applied migration ${FIRST} is missing on disk`,
    );
    await query(connectionString, 'update billing._prisma_migrations set finished_at = null');
    await expect(migrate(options)).rejects.toThrow(`the migration ${FIRST} failed earlier`);
    await query(connectionString, 'update billing._prisma_migrations set rolled_back_at = now()');
    await expect(migrate(options)).rejects.toThrow('relation "entry" already exists');
  });

  it.each([
    [
      'a migration that ends its own transaction',
      { [FIRST]: 'create table entry (); commit' },
      /ends its own transaction/,
    ],
    ['a folder that is no migration', { first: 'select 1' }, /first is not named <timestamp>_<name>/],
  ])('refuses %s', async (_, migrations, message) => {
    const dir = await folder(migrations);
    const connectionString = await freshDatabase();
    await expect(migrate({ connectionString, module: 'billing', dir, log: quiet })).rejects.toThrow(message);
  });

  it('refuses a name that is no module, and a directory that is not there', async () => {
    const options = { connectionString: server.url, module: 'billing', dir: join(root, 'nowhere'), log: quiet };
    await expect(migrate(options)).rejects.toThrow(/billing: the migrations cannot be read: ENOENT.*nowhere/);
    await expect(migrate({ ...options, module: 'a"b' })).rejects.toThrow(`'a"b' is no module name`);
  });
});
