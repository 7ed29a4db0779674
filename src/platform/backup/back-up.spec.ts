import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pg from 'pg';
import { eventually } from '../../../test/support/eventually.js';
import { findBinaries, majorVersion } from '../embedded-postgres/binaries.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../embedded-postgres/embedded-postgres.js';
import { backUp } from './back-up.js';
import { dataEntries } from './data-files.js';
import { restore } from './restore.js';

const quiet = { info: () => undefined, warn: () => undefined };
/** A server that recycles its log as soon as it may. */
const SHORT_LOG = { max_wal_size: '32MB', min_wal_size: '32MB', fsync: 'off' };
const LOG_SEGMENTS = 4;
const START_MS = 60_000;

let dir: string;
let source: string;
let server: EmbeddedPostgres;
let client: pg.Client;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trunkline-backup-'));
  source = join(dir, 'source');
  server = await startEmbeddedPostgres({ dataDir: source, log: quiet, settings: SHORT_LOG, endsWithProcess: true });
  client = new pg.Client({ connectionString: server.url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`
    create role books nologin;
    create table entry (id bigint generated always as identity primary key, payload text not null);
    alter table entry owner to books;
    alter table entry alter column payload set storage plain`);
}, START_MS);

afterAll(async () => {
  await client?.end();
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
}, START_MS);

/** Rows that prove themselves, about a megabyte of log each call. */
async function write(): Promise<void> {
  await client.query(`insert into entry (payload) select repeat(md5(n::text), 60) from generate_series(1, 500) n`);
}

/** Changes the same pages again and again, checkpoints among it, until so many segments of the log have been filled. */
async function fillLog(): Promise<void> {
  const segment = async () =>
    (
      await client.query<{ n: number }>(
        `select ((pg_current_wal_lsn() - '0/0') / setting::numeric)::int as n from pg_settings where name = 'wal_segment_size'`,
      )
    ).rows[0]!.n;
  const goal = (await segment()) + LOG_SEGMENTS;
  for (let turn = 0; turn < 200 && (await segment()) < goal; turn++) {
    await write();
    await client.query('checkpoint');
    await client.query(`update entry set payload = payload where id % 7 = $1`, [turn % 7]);
  }
}

/** A file, and a disk that takes nothing after the first piece until the log has gone far beyond where it was. */
async function slowFile(path: string): Promise<Writable> {
  const file = await open(path, 'wx', 0o600);
  let waited: Promise<void> | null = null;
  return new Writable({
    write(chunk: Buffer, _, done) {
      waited ??= fillLog();
      waited.then(() => file.writeFile(chunk)).then(() => done(), done);
    },
    final(done) {
      file.close().then(() => done(), done);
    },
  });
}

describe('a backup of a running database', () => {
  it(
    'is whole though its log was recycled meanwhile: what was committed before is there, pages, roles and counters',
    async () => {
      await write();
      const committed = (await client.query<{ n: number }>('select count(*)::int as n from entry')).rows[0]!.n;
      const file = join(dir, 'a.tar.gz');
      const done = await backUp({ dataDir: source, output: await slowFile(file), product: 'trunkline test' });
      expect(done.files).toBeGreaterThan(500);
      const { rows: slots } = await client.query('select slot_name from pg_replication_slots');
      expect(slots).toEqual([]);

      const target = join(dir, 'target');
      const postgresMajor = await majorVersion(findBinaries());
      const restored = await restore({ dataDir: target, input: createReadStream(file), postgresMajor });
      expect([restored.files, restored.bytes]).toEqual([done.files, done.bytes]);
      const copy = await startEmbeddedPostgres({
        dataDir: target,
        log: quiet,
        settings: SHORT_LOG,
        endsWithProcess: true,
      });
      const reader = new pg.Client({ connectionString: copy.url });
      try {
        await reader.connect();
        const { rows } = await reader.query<{ n: number; last: number; sound: boolean; owner: string; next: number }>(`
          select count(*)::int as n, max(id)::int as last, nextval('entry_id_seq')::int as next,
            bool_and(payload = repeat(md5((((id - 1) % 500) + 1)::text), 60)) as sound,
            (select tableowner from pg_tables where tablename = 'entry') as owner
          from entry`);
        const [state] = rows;
        expect(state).toMatchObject({ n: state!.last, sound: true, owner: 'books' });
        expect(state!.n).toBeGreaterThanOrEqual(committed);
        expect(state!.next).toBeGreaterThan(state!.last);
      } finally {
        await reader.end();
        await copy.stop();
      }
    },
    START_MS,
  );

  it('fails with what the output says, and leaves the server as it was', async () => {
    const output = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })),
    });
    await expect(backUp({ dataDir: source, output, product: 'x' })).rejects.toThrow('no space left');
    await eventually(async () => (await client.query('select from pg_replication_slots')).rowCount === 0);
  });

  it('is given up at once when it is interrupted', async () => {
    const signal = AbortSignal.abort(new Error('interrupted'));
    const output = new Writable({ write: (_chunk, _encoding, done) => done() });
    await expect(backUp({ dataDir: source, output, product: 'x', signal })).rejects.toThrow('interrupted');
  });

  it('needs a database', async () => {
    const output = new Writable();
    const dataDir = join(dir, 'nothing');
    await expect(backUp({ dataDir, output, product: 'x' })).rejects.toThrow('holds no database');
    await expect(readdir(dataDir)).rejects.toThrow('ENOENT');
  });
});

describe('what belongs to a backup', () => {
  it('is everything but what a running process keeps for itself, and what is made anew', async () => {
    const home = join(dir, 'entries');
    const data = join(home, 'postgres/data');
    const folders = ['lock', 'mail', 'postgres.new-x', 'postgres/run', 'postgres/data/pg_wal', 'postgres/data/base/5'];
    for (const folder of folders) await mkdir(join(home, folder), { recursive: true });
    const running = ['lock/1.lock', 'postgres/run/.s.PGSQL.15432.lock', 'postgres/start.log'];
    for (const file of [...running, 'mail/1.eml', 'secrets.json', 'postgres/password'])
      await writeFile(join(home, file), 'x');
    for (const file of [
      'PG_VERSION',
      'postmaster.pid',
      'backup_label.old',
      'pg_wal/1',
      'base/5/1',
      'base/5/pg_internal.init',
    ])
      await writeFile(join(data, file), 'x');
    const found: string[] = [];
    for await (const { path } of dataEntries(home)) found.push(path);
    expect(found.sort()).toEqual([
      'mail',
      'mail/1.eml',
      'postgres',
      'postgres/data',
      'postgres/data/PG_VERSION',
      'postgres/data/base',
      'postgres/data/base/5',
      'postgres/data/base/5/1',
      'postgres/data/pg_wal',
      'postgres/data/pg_wal/archive_status',
      'postgres/password',
      'secrets.json',
    ]);
    await symlink('/tmp', join(data, 'base/6'));
    const all = async () => {
      for await (const entry of dataEntries(home)) expect(entry.path).not.toBe('');
    };
    await expect(all()).rejects.toThrow('base/6 is neither a file nor a directory');
    await chmod(home, 0o700);
  });

  it.each(['postgres', 'postgres/data', 'mail'])('cannot be told where %s is a link', async (path) => {
    const home = await mkdtemp(join(dir, 'linked-'));
    await mkdir(join(home, 'postgres'));
    if (path === 'postgres') await rm(join(home, path), { recursive: true });
    await symlink(join(dir, 'elsewhere'), join(home, path));
    const all = async () => {
      for await (const entry of dataEntries(home)) expect(entry.path).not.toBe('');
    };
    await expect(all()).rejects.toThrow(`${path} is neither a file nor a directory`);
  });
});
