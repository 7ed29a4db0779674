import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { lockDataDir } from '../embedded-postgres/data-dir-lock.js';
import { startEmbeddedPostgres } from '../embedded-postgres/embedded-postgres.js';
import { findRunningServer, hasCluster } from '../embedded-postgres/running-server.js';
import { ArchiveWriter } from './archive-writer.js';
import { BaseBackup } from './base-backup.js';
import { CONTROL_FILE, dataEntries, PGDATA } from './data-files.js';
import { ARCHIVE_FORMAT, type BackupHeader, HEADER_ENTRY } from './manifest.js';
import { walSegments } from './wal-segments.js';

export interface BackUpOptions {
  readonly dataDir: string;
  /** Where the archive goes; it is ended with it. */
  readonly output: Writable;
  /** Name and version of the product, for the archive's header. */
  readonly product: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
}

export interface BackedUp {
  readonly files: number;
  /** Before compression. */
  readonly bytes: number;
  /** What was committed before is in the backup. */
  readonly stateAt: Date;
}

const quiet = { info: () => undefined, warn: () => undefined };

/**
 * Writes all that the embedded mode keeps in a data directory into one archive: the database as of one instant near
 * the end, exactly, and the secrets that read it. The product may run and goes on unhindered; where it does not, its
 * PostgreSQL is started for the time.
 *
 * @throws Error in plain words where there is no database, another process is starting or stopping it, or the copy or
 *   the output fails; the output is then worthless
 */
export async function backUp(options: BackUpOptions): Promise<BackedUp> {
  const { dataDir } = options;
  if (!(await hasCluster(dataDir))) throw new Error(`the directory ${dataDir} holds no database of this product`);
  const running = await findRunningServer(dataDir);
  if (running !== null) return copyFrom(running, options);
  const lock = await lockDataDir(dataDir);
  try {
    const server = await startEmbeddedPostgres({ dataDir, log: quiet, endsWithProcess: true });
    try {
      return await copyFrom(server.url, options);
    } finally {
      await server.stop();
    }
  } finally {
    await lock.release();
  }
}

async function copyFrom(url: string, options: BackUpOptions): Promise<BackedUp> {
  const backup = await BaseBackup.connect(url);
  const writer = new ArchiveWriter(options.output, options.onProgress);
  try {
    return await copy(backup, writer, options);
  } catch (error) {
    await writer.abort(error);
    throw error;
  } finally {
    await backup.close();
  }
}

async function copy(
  backup: BaseBackup,
  writer: ArchiveWriter,
  { dataDir, product, signal }: BackUpOptions,
): Promise<BackedUp> {
  const { version, major, systemIdentifier, walSegmentBytes } = backup.server;
  await writer.addNote(HEADER_ENTRY, {
    format: ARCHIVE_FORMAT,
    product,
    postgres_version: version,
    postgres_major: major,
    system_identifier: systemIdentifier,
    architecture: process.arch,
    started_at: new Date().toISOString(),
  } satisfies BackupHeader);
  await backup.start();
  for await (const { kind, path } of dataEntries(dataDir)) {
    signal?.throwIfAborted();
    if (kind === 'directory') await writer.addDirectory(path);
    else await writer.addFile(path, join(dataDir, path));
  }
  await mustAdd(writer, dataDir, CONTROL_FILE);
  const end = await backup.stop();
  await writer.addBytes(`${PGDATA}/backup_label`, Buffer.from(end.label));
  for (const segment of walSegments(end.firstSegment, end.lastSegment, walSegmentBytes)) {
    signal?.throwIfAborted();
    await mustAdd(writer, dataDir, `${PGDATA}/pg_wal/${segment}`);
  }
  const { stateAt, firstSegment, lastSegment } = end;
  await writer.finish({ state_at: stateAt.toISOString(), wal_from: firstSegment, wal_to: lastSegment });
  return { ...writer.size, stateAt };
}

async function mustAdd(writer: ArchiveWriter, dataDir: string, path: string): Promise<void> {
  if (!(await writer.addFile(path, join(dataDir, path)))) throw new Error(`the file ${path} is gone`);
}
