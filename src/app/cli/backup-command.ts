import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { backUp } from '../../platform/backup/back-up.js';
import { restore } from '../../platform/backup/restore.js';
import { findBinaries, majorVersion } from '../../platform/embedded-postgres/binaries.js';
import { reasonOf } from '../../platform/embedded-postgres/data-dir.js';
import { databaseSetting, type Environment, MODULES } from '../../platform/settings/settings.js';
import { EXIT_OK, type Invocation, UsageError } from './command.js';
import { progressOn } from './progress.js';

const STANDARD = '-';
const BYTES_PER_MB = 1_000_000;
const FILE_MODE = 0o600;

/** `backup <file>`: everything under DATA_DIR in one archive. */
export async function runBackup(invocation: Invocation): Promise<number> {
  const { environment, positionals, stdout, stderr, signal } = invocation;
  const [file = ''] = positionals;
  assertEmbedded(environment);
  const dataDir = resolve(environment.DATA_DIR);
  if (file !== STANDARD) await assertOutside(file, dataDir);
  const product = await productName();
  const progress = progressOn(stderr, 'read');
  const common = { dataDir, product, signal, onProgress: progress.report };
  const done =
    file === STANDARD
      ? await backUp({ ...common, output: notTerminal(stdout) })
      : await intoFile(file, (handle) => backUp({ ...common, output: handle.createWriteStream({ flush: true }) }));
  progress.end();
  const { files, bytes, stateAt } = done;
  stderr.write(`backup of ${dataDir} as of ${stateAt.toISOString()}: ${files} files, ${megabytes(bytes)} unpacked\n`);
  for (const line of whatIsMissing(environment)) stderr.write(`not in it: ${line}\n`);
  stderr.write('It holds the keys and every message: keep it as safe as the data itself.\n');
  return EXIT_OK;
}

/** `restore <file>`: an archive into an empty DATA_DIR. */
export async function runRestore(invocation: Invocation): Promise<number> {
  const { environment, positionals, stdin, stderr, signal } = invocation;
  const [file = ''] = positionals;
  assertEmbedded(environment);
  const dataDir = resolve(environment.DATA_DIR);
  const postgresMajor = await majorVersion(findBinaries());
  const input = file === STANDARD ? stdin : await readable(file);
  signal.addEventListener('abort', () => input.destroy(signal.reason));
  const progress = progressOn(stderr, 'unpacked');
  const { files, bytes, product, stateAt } = await restore({
    dataDir,
    input,
    postgresMajor,
    onProgress: progress.report,
  }).finally(() => progress.end());
  stderr.write(
    `restored ${dataDir} as of ${stateAt.toISOString()}: ${files} files, ${megabytes(bytes)}, written by ${product}\n` +
      'What was queued then will be sent at the start: docs/backup.md says what to do where it was sent since.\n',
  );
  return EXIT_OK;
}

function assertEmbedded({ DATABASE_URL }: Environment): void {
  if (DATABASE_URL === undefined) return;
  throw new UsageError(
    'DATABASE_URL is set: that database is not kept in DATA_DIR; back it up with the tools of its PostgreSQL',
  );
}

/** A backup among the data would be in itself, and in every later one. */
async function assertOutside(file: string, dataDir: string): Promise<void> {
  const [folder, data] = await Promise.all([dirname(resolve(file)), dataDir].map(real));
  if (!`${folder}${sep}`.startsWith(`${data}${sep}`)) return;
  throw new UsageError(`${file} lies in DATA_DIR, which is what is backed up: give a file elsewhere, or - and a pipe`);
}

/** The path without links; as it is where there is nothing. */
function real(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** Writes a file that is there only when it is whole, and overwrites none. */
async function intoFile<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  if (await stat(file).catch(() => null)) throw new Error(`${file} is there already`);
  const part = `${file}.part`;
  const handle = await open(part, 'wx', FILE_MODE).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${part} cannot be written: ${error.code === 'EEXIST' ? 'it is there already' : reasonOf(error)}`);
  });
  try {
    const result = await write(handle);
    await rename(part, file);
    return result;
  } finally {
    await handle.close();
    await rm(part, { force: true });
  }
}

function notTerminal(stdout: Invocation['stdout']): Invocation['stdout'] {
  if (stdout.isTTY) throw new UsageError('standard output is a terminal: send the backup to a file or a program');
  return stdout;
}

async function readable(file: string): Promise<Readable> {
  const found = await stat(file).catch((error) => {
    throw new Error(`${file} cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : reasonOf(error)}`);
  });
  if (!found.isFile()) throw new Error(`${file} is no file`);
  return createReadStream(file);
}

/** What the product needs besides, and does not keep under DATA_DIR. */
function whatIsMissing(environment: Environment): string[] {
  const elsewhere = MODULES.filter((module) => databaseSetting(environment, module) !== 'DATABASE_URL');
  return [
    ...elsewhere.map((module) => `the database of ${module}, which is elsewhere`),
    ...(environment.SECRETS_KEY
      ? ['SECRETS_KEY, which comes from the environment; without it no secret can be read']
      : []),
  ];
}

async function productName(): Promise<string> {
  const path = new URL('../../../package.json', import.meta.url);
  const { name, version } = JSON.parse(await readFile(path, 'utf8')) as { name: string; version: string };
  return `${name} ${version}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / BYTES_PER_MB).toFixed(1)} MB`;
}
