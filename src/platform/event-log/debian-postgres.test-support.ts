import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LOGIN } from '../embedded-postgres/cluster.js';
import { chooseIdentity, spawnAs } from '../embedded-postgres/identity.js';
import { SERVER_SETTINGS } from '../embedded-postgres/server-settings.js';
import { Supervisor } from '../embedded-postgres/supervisor.js';

const BIN = '/usr/lib/postgresql/15/bin';
const PASSWORD = 'of-a-test';
const MAX_DUMP_BYTES = 64 * 1024 * 1024;
const run = promisify(execFile);
const quiet = { info: () => undefined, warn: () => undefined };

/** Whether Debian's PostgreSQL 15 is here, server and tools: the embedded one comes without tools. */
export function hasDebianPostgres(): boolean {
  return ['initdb', 'postgres', 'pg_dump', 'pg_dumpall', 'psql'].every((name) => existsSync(join(BIN, name)));
}

export interface DebianPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

/** A server of version 15 of the test's own, without any data. */
export async function startDebianPostgres(): Promise<DebianPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-debian-'));
  const home = join(dataDir, 'postgres');
  const removeDir = () => rm(dataDir, { recursive: true, force: true });
  try {
    const binaries = { initdb: join(BIN, 'initdb'), postgres: join(BIN, 'postgres') };
    const identity = await chooseIdentity(binaries, dataDir, home);
    const cluster = { home, pgdata: join(home, 'data'), password: PASSWORD };
    await mkdir(home);
    await writeFile(join(home, 'password'), PASSWORD);
    if (identity.owner) {
      for (const path of [dataDir, home, join(home, 'password')]) {
        await chown(path, identity.owner.uid, identity.owner.gid);
      }
    }
    const settings = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', `--pwfile=${join(home, 'password')}`];
    const parameters = [`--pgdata=${cluster.pgdata}`, `--username=${LOGIN}`, ...settings];
    const initdb = spawnAs(identity, binaries.initdb, parameters, { stdio: 'ignore' });
    const [status] = await once(initdb, 'close');
    if (status !== 0) throw new Error(`initdb ended with ${status}`);
    const options = { binaries, identity, cluster, settings: SERVER_SETTINGS, log: quiet, endsWithProcess: true };
    const server = new Supervisor(options);
    await server.start();
    return { url: server.url(), stop: () => server.stop().finally(removeDir) };
  } catch (error) {
    await removeDir();
    throw error;
  }
}

/** Dumps one server's roles and database with PostgreSQL's own tools and restores both into another. */
export async function dumpAndRestore(from: string, to: string): Promise<void> {
  const options = { maxBuffer: MAX_DUMP_BYTES };
  const roles = await run(join(BIN, 'pg_dumpall'), ['--globals-only', `--dbname=${from}`], options);
  const data = await run(join(BIN, 'pg_dump'), [`--dbname=${from}`], options);
  // The role that both servers have from their making cannot be made again, and that is all that may fail of these.
  await feed(to, roles.stdout, []);
  await feed(to, data.stdout, ['--set=ON_ERROR_STOP=1', '--single-transaction']);
}

async function feed(url: string, script: string, parameters: readonly string[]): Promise<void> {
  const psql = run(join(BIN, 'psql'), ['--quiet', '--no-psqlrc', ...parameters, `--dbname=${url}`]);
  psql.child.stdin!.end(script);
  await psql;
}
