import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The database's files, below the data directory. */
export const PGDATA = 'postgres/data';
/** Written last of all, by PostgreSQL's rule for copies of a running server. */
export const CONTROL_FILE = `${PGDATA}/global/pg_control`;

/** Beside the database: what belongs to a running process, or is half made. */
const NOT_OURS = /^(?:lock|postgres\/start\.log|postgres\/run|postgres\.new-[^/]*|restore\.new-[^/]*|lost\+found)$/;
/** By PostgreSQL's documentation: these are made anew at the start, and their directories must be there. */
const EMPTIED = /^(?:pg_wal|pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans|log)$/;
const MADE_ANEW =
  /(?:^|\/)(?:postmaster\.(?:pid|opts)|backup_label(?:\.old)?|tablespace_map(?:\.old)?|pg_internal\.init[^/]*|pgsql_tmp[^/]*|current_logfiles[^/]*)$/;

export interface DataEntry {
  readonly kind: 'directory' | 'file';
  /** Below the data directory, with slashes. */
  readonly path: string;
}

/**
 * Everything of a data directory that a backup holds, directories before what is in them: secrets, and the database
 * without its log of changes, which is added later, and without its control file, which comes after all the others.
 *
 * @throws Error where a link lies in the directory, in place of the database even, or a socket among its files: what is
 *   behind it would be missing in the archive
 */
export async function* dataEntries(dataDir: string, folder = ''): AsyncGenerator<DataEntry> {
  for (const entry of await readdir(join(dataDir, folder), { withFileTypes: true }).catch(gone)) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (isLeftOut(path)) continue;
    if (entry.isDirectory()) {
      yield { kind: 'directory', path };
      if (!isEmptied(path)) yield* dataEntries(dataDir, path);
      else if (path === `${PGDATA}/pg_wal`) yield { kind: 'directory', path: `${path}/archive_status` };
    } else if (entry.isFile()) yield { kind: 'file', path };
    else if (entry.isSymbolicLink() || inDatabase(path) !== null)
      throw new Error(`${join(dataDir, path)} is neither a file nor a directory`);
  }
}

function isLeftOut(path: string): boolean {
  const inside = inDatabase(path);
  return NOT_OURS.test(path) || path === CONTROL_FILE || (inside !== null && MADE_ANEW.test(inside));
}

function isEmptied(path: string): boolean {
  return EMPTIED.test(inDatabase(path) ?? '');
}

function inDatabase(path: string): string | null {
  return path.startsWith(`${PGDATA}/`) ? path.slice(PGDATA.length + 1) : null;
}

/** A directory may go while the server runs, such as that of a dropped database. */
function gone(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
