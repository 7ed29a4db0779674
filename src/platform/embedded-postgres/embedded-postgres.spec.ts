import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { findBinaries } from './binaries.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';

const DEADLINE_MS = 20_000;
const TYPESCRIPT = join(import.meta.dirname, '../../../scripts/lib/typescript.mjs');

let root: string;
let dataDir: string;
let pgdata: string;
let messages: string[];
const servers: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];
const log = { info: (message: string) => messages.push(message), warn: (message: string) => messages.push(message) };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trunkline-postgres-'));
  dataDir = join(root, 'data');
  pgdata = join(dataDir, 'postgres', 'data');
});

beforeEach(() => {
  messages = [];
});

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  for (const server of servers.splice(0)) await server.stop();
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

async function start(settings?: Record<string, string>): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log, settings, endsWithProcess: true });
  servers.push(server);
  return server;
}

async function query(url: string, sql: string): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function eventually(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition did not come true in time');
    await delay(10);
  }
}

const answers = (url: string) =>
  query(url, 'select').then(
    () => true,
    () => false,
  );

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Another process that starts the server on the same directory and never stops it; told by its first line when ready. */
function startInChild(options = ''): ChildProcess {
  const code = `
    import { startEmbeddedPostgres } from '${join(import.meta.dirname, 'embedded-postgres.ts')}';
    process.on('SIGINT', () => undefined);
    setInterval(() => undefined, 1000);
    const log = { info() {}, warn() {} };
    const server = await startEmbeddedPostgres({ dataDir: process.argv[1], log, ${options} });
    console.log(JSON.stringify({ url: server.url, pid: server.pid() }));`;
  const args = ['--import', TYPESCRIPT, '--input-type=module', '-e', code, dataDir];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function whenReady(child: ChildProcess): Promise<{ url: string; pid: number }> {
  for await (const chunk of child.stdout ?? []) return JSON.parse(String(chunk));
  throw new Error('the child ended before its server was ready');
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('the embedded PostgreSQL', () => {
  it('keeps its data from one start to the next, and leaves nothing running', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 42 as answer');
    const pid = first.pid();
    expect(isAlive(pid)).toBe(true);
    await first.stop();
    await first.stop();
    await eventually(() => !isAlive(pid));
    expect(await answers(first.url)).toBe(false);

    const second = await start();
    expect(await query(second.url, 'table kept')).toEqual([{ answer: 42 }]);
  });

  it('is durable, checked, in UTF-8, and listens on the loopback and on a socket in its own directory only', async () => {
    const { url } = await start();
    const [row] = await query(
      url,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
        current_setting('data_checksums') as checksums, current_setting('listen_addresses') as addresses,
        current_setting('unix_socket_directories') as sockets, current_setting('timezone') as timezone,
        current_setting('server_encoding') as encoding, lower('ÄÖÜ') as lower, 'Z' < 'a' as bytewise`,
    );
    expect(row).toEqual({
      fsync: 'on',
      commit: 'on',
      checksums: 'on',
      addresses: '127.0.0.1',
      sockets: join(dataDir, 'postgres', 'run'),
      timezone: 'UTC',
      encoding: 'UTF8',
      lower: 'äöü',
      bytewise: true,
    });
  });

  it('lets in its own password only, which only its user can read', async () => {
    const { url } = await start();
    await expect(query(url.replace(/:[0-9a-f]{48}@/, ':wrong@'), 'select')).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(join(dataDir, 'postgres', 'password'))).mode & 0o777).toBe(0o600);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  });

  it('is reached over its socket, which only its user can reach, and over TCP', async () => {
    const { url } = await start();
    const peer = 'select inet_server_port() as port';
    expect(await query(url, peer)).toEqual([{ port: null }]);
    expect(await query(url.split('?')[0]!, peer)).toEqual([{ port: Number(new URL(url).port) }]);
    expect((await stat(join(dataDir, 'postgres', 'run'))).mode & 0o777).toBe(0o700);
  });

  it('starts though a dead server left the lock of its socket, with the id of a living process', async () => {
    const server = await start();
    const port = new URL(server.url).port;
    process.kill(server.pid(), 'SIGSTOP');
    const lock = join(dataDir, 'postgres', 'run', `.s.PGSQL.${port}.lock`);
    await writeFile(lock, (await readFile(lock, 'utf8')).replace(/^\d+/, String(process.ppid)));
    process.kill(server.pid(), 'SIGKILL');
    const dead = server.pid();
    await eventually(() => server.pid() !== dead && answers(server.url));
  });

  it('comes back on the same port when it is killed', async () => {
    const server = await start();
    for (let round = 0; round < 2; round++) {
      const pid = server.pid();
      process.kill(pid, 'SIGKILL');
      await eventually(() => server.pid() !== pid && answers(server.url));
    }
    expect(messages[0]).toMatch(/ended unexpectedly: restarting it/);
    await eventually(() => messages.some((message) => message.includes('is back')));
  });

  it('stops also while it is being restarted', async () => {
    const server = await start();
    process.kill(server.pid(), 'SIGKILL');
    await eventually(() => messages.length > 0);
    await server.stop();
    expect(await answers(server.url)).toBe(false);
    await eventually(() => !isAlive(server.pid()));
  });

  it('is taken over from a killed process, and watched as one of our own', async () => {
    const child = startInChild();
    const { url, pid } = await whenReady(child);
    await query(url, 'create table left_behind ()');
    await kill(child);
    const server = await start();
    expect({ url: server.url, pid: server.pid() }).toEqual({ url, pid });
    await query(server.url, 'table left_behind');
    process.kill(pid, 'SIGKILL');
    await eventually(() => server.pid() !== pid && answers(url));
  });

  it('is replaced when a killed process left it with other settings', async () => {
    const child = startInChild(`settings: { work_mem: '1MB' }`);
    const { pid } = await whenReady(child);
    await kill(child);
    const server = await start();
    await eventually(() => !isAlive(pid));
    expect(await query(server.url, 'show work_mem')).toEqual([{ work_mem: '4MB' }]);
  });

  it('starts after everything was killed, also when a stranger has the old pid', async () => {
    const child = startInChild();
    const { pid } = await whenReady(child);
    await kill(child);
    process.kill(pid, 'SIGKILL');
    const file = join(pgdata, 'postmaster.pid');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^\d+/, String(process.ppid)));
    const server = await start();
    expect(await answers(server.url)).toBe(true);
  });

  it('does not hear the Ctrl-C of the terminal', async () => {
    const child = startInChild();
    const { url } = await whenReady(child);
    process.kill(-(child.pid ?? 0), 'SIGINT');
    // Its own log would say that it was asked to stop: a query after the signal shows that it was not.
    expect(await answers(url)).toBe(true);
    await kill(child);
    await start();
    expect(messages).toEqual([expect.stringContaining('took over')]);
  });

  it('ends with its process where that is wanted', async () => {
    const child = startInChild('endsWithProcess: true');
    const { pid } = await whenReady(child);
    await kill(child);
    await eventually(() => !isAlive(pid));
  });

  it('keeps a bounded number of log files', async () => {
    const names = Array.from({ length: 9 }, (_, index) => `postgresql-2020010${index}T000000.log`);
    for (const name of names) await writeFile(join(pgdata, 'log', name), 'old');
    await start();
    const kept = await readdir(join(pgdata, 'log'));
    expect(kept.length).toBeLessThanOrEqual(4);
    expect(kept).not.toContain(names[0]);
  });

  it('says in its error what the server said', async () => {
    await expect(start({ shared_buffers: 'plenty' })).rejects.toThrow(/did not start.*shared_buffers.*plenty/s);
  });

  it('is made anew when its making was killed', async () => {
    dataDir = join(root, 'interrupted');
    const stages = async () => (existsSync(dataDir) ? await readdir(dataDir) : []).filter((name) => /new-/.test(name));
    const child = startInChild();
    await eventually(async () => (await stages()).length > 0);
    await kill(child);
    await mkdir(join(dataDir, 'postgres.new-older', 'data', 'base'), { recursive: true });
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
    const server = await start();
    expect(await answers(server.url)).toBe(true);
    expect(await stages()).toEqual([]);
  });
});

describe('a place where no database can be', () => {
  it.each(['file', 'file/below'])('is named when it is %s', async (name) => {
    await writeFile(join(root, 'file'), '');
    dataDir = join(root, name);
    await expect(start()).rejects.toThrow(`the data directory ${dataDir} cannot be used:`);
  });

  it('is named when something else is there', async () => {
    dataDir = join(root, 'other');
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await expect(start()).rejects.toThrow(`the directory ${join(dataDir, 'postgres')} holds no usable database`);
  });

  it.each([
    ['win32', 'x64', 'does not run on win32: set DATABASE_URL'],
    ['linux', 'z80', 'the package @embedded-postgres/linux-z80 with the embedded PostgreSQL is not installed'],
  ])('is told when it is the system: %s on %s', (platform, arch, message) => {
    expect(() => findBinaries(platform, arch)).toThrow(message);
  });
});
