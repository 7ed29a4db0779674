import { randomBytes } from 'node:crypto';
import { chmod, lchown, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import { reasonOf } from './data-dir.js';
import { type Identity, spawnAs } from './identity.js';

/** The superuser, and the database that is made at the first start. */
export const LOGIN = 'trunkline';

const STAGE_PREFIX = 'postgres.new-';
const MAX_OUTPUT = 4_000;

/** A database on disk: its files, and the password of its superuser. */
export interface Cluster {
  readonly home: string;
  readonly pgdata: string;
  readonly password: string;
}

/** Where the database of a data directory is. */
export function clusterHome(dataDir: string): string {
  return join(dataDir, 'postgres');
}

/**
 * Opens the database under `dataDir`, making it first if there is none.
 *
 * It is made in a directory beside and renamed, password and files together, so that a kill at any moment leaves
 * either none or a whole one; what an interrupted attempt left is removed.
 */
export async function openCluster(dataDir: string, binaries: Binaries, identity: Identity): Promise<Cluster> {
  await removeStages(dataDir);
  const home = clusterHome(dataDir);
  if (!(await exists(home))) await createCluster(dataDir, home, binaries, identity);
  await giveTo(dataDir, home, identity);
  const pgdata = join(home, 'data');
  try {
    await stat(join(pgdata, 'PG_VERSION'));
    const password = (await readFile(join(home, 'password'), 'utf8')).trim();
    return { home, pgdata, password };
  } catch (error) {
    throw new Error(`the directory ${home} holds no usable database: ${reasonOf(error)}`, { cause: error });
  }
}

async function createCluster(dataDir: string, home: string, binaries: Binaries, identity: Identity): Promise<void> {
  const stage = await mkdtemp(join(dataDir, STAGE_PREFIX));
  try {
    await writePassword(join(stage, 'password'));
    await giveTo(dataDir, stage, identity);
    await runInitdb(stage, binaries, identity);
    await rename(stage, home);
    await syncDirectory(dataDir);
  } catch (error) {
    await rm(stage, { recursive: true, force: true });
    throw error;
  }
}

async function runInitdb(stage: string, binaries: Binaries, identity: Identity): Promise<void> {
  const args = [
    `--pgdata=${join(stage, 'data')}`,
    `--username=${LOGIN}`,
    `--pwfile=${join(stage, 'password')}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    '--no-instructions',
  ];
  const child = spawnAs(identity, binaries.initdb, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-MAX_OUTPUT);
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new Error(`${binaries.initdb} cannot be run: ${reasonOf(error)}`, { cause: error })),
    );
    child.once('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  if (/shared librar|Library not loaded/.test(output)) output += ' (was it installed without its install scripts?)';
  if (code !== 0) throw new Error(`making the database in ${stage} failed (${code}): ${output.trim()}`);
}

async function writePassword(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(24).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Hands the files to the identity's user, and lets it pass through the data directory to reach them. */
async function giveTo(dataDir: string, path: string, { owner }: Identity): Promise<void> {
  if (!owner || (await stat(path)).uid === owner.uid) return;
  const { mode } = await stat(dataDir);
  await chmod(dataDir, mode | 0o011);
  for (const entry of await readdir(path, { recursive: true })) await lchown(join(path, entry), owner.uid, owner.gid);
  // The top directory comes last: until then the work counts as not done, and is done again after a kill.
  await lchown(path, owner.uid, owner.gid);
}

async function removeStages(dataDir: string): Promise<void> {
  const stages = (await readdir(dataDir)).filter((name) => name.startsWith(STAGE_PREFIX));
  // An initdb that outlived its parent may still be writing there.
  for (const stage of stages) await rm(join(dataDir, stage), { recursive: true, force: true, maxRetries: 20 });
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
