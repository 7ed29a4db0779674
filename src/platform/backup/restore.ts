import { mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { prepareDataDir } from '../embedded-postgres/data-dir.js';
import { lockDataDir } from '../embedded-postgres/data-dir-lock.js';
import { ArchiveError, unpack } from './archive-reader.js';
import { ARCHIVE_FORMAT, type BackupHeader } from './manifest.js';

/** The directory in which a restore gathers what it reads, until all of it is proven. */
export const RESTORE_STAGE = 'restore.new-';
/** What may stand in a directory that counts as empty: our lock, and what a file system makes by itself. */
const NO_DATA = new Set(['lock', 'lost+found']);
/** Moved last: with it, the rest is there too. */
const DATABASE = 'postgres';

export interface RestoreOptions {
  /** An empty directory, or one that is not there yet. */
  readonly dataDir: string;
  readonly input: Readable;
  /** The major version of the PostgreSQL that is to open it. */
  readonly postgresMajor: number;
  readonly onProgress?: (bytes: number) => void;
}

export interface Restored {
  readonly files: number;
  readonly bytes: number;
  readonly product: string;
  readonly stateAt: Date;
}

/**
 * Makes a data directory of a backup. The archive is unpacked beside its place and moved there only when every
 * checksum is right; until then the directory stays empty, and a refused archive leaves nothing.
 *
 * @throws ArchiveError where the archive is damaged, or of another version than can be opened here
 * @throws Error in plain words where the directory is in use, not empty, or cannot be written
 */
export async function restore({ dataDir, input, postgresMajor, onProgress }: RestoreOptions): Promise<Restored> {
  const target = await prepareDataDir(dataDir);
  await assertEmpty(target);
  const lock = await lockDataDir(target);
  try {
    const stage = await mkdtemp(join(target, RESTORE_STAGE));
    try {
      const accept = (header: BackupHeader) => assertFits(header, postgresMajor);
      const manifest = await unpack(input, { target: stage, accept, ...(onProgress ? { onProgress } : {}) });
      await moveInto(target, stage);
      const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
      return { files: manifest.files.length, bytes, product: manifest.product, stateAt: new Date(manifest.state_at) };
    } finally {
      await rm(stage, { recursive: true, force: true });
    }
  } finally {
    await lock.release();
  }
}

/** Refuses a directory in which a restore was killed while it moved its files into place. */
export async function assertNoHalfRestore(dataDir: string): Promise<void> {
  const names = await readdir(dataDir);
  if (!names.some((name) => name.startsWith(RESTORE_STAGE))) return;
  throw new Error(`a restore into ${dataDir} did not end: empty the directory and restore again`);
}

async function assertEmpty(dataDir: string): Promise<void> {
  const names = (await readdir(dataDir)).filter((name) => !NO_DATA.has(name));
  if (names.length === 0) return;
  throw new Error(`the directory ${dataDir} is not empty (${names.slice(0, 3).join(', ')}): restore into an empty one`);
}

function assertFits({ format, postgres_major: major, architecture }: BackupHeader, wanted: number): void {
  if (format !== ARCHIVE_FORMAT)
    throw new ArchiveError(`its format is ${format}, and this version reads ${ARCHIVE_FORMAT}`);
  if (major !== wanted) {
    throw new ArchiveError(`it is of PostgreSQL ${major}, and this version brings PostgreSQL ${wanted}`);
  }
  if (architecture !== process.arch) {
    throw new ArchiveError(`it was made on another kind of processor (${architecture}, here ${process.arch})`);
  }
}

async function moveInto(target: string, stage: string): Promise<void> {
  const names = (await readdir(stage)).sort((a, b) => Number(a === DATABASE) - Number(b === DATABASE));
  for (const name of names) {
    await rename(join(stage, name), join(target, name));
    await syncDirectory(target);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}
