import { access, constants, mkdir, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of its path is a file, not a directory',
  EEXIST: 'it is a file, not a directory',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ELOOP: 'its path has a loop of symbolic links',
  ENAMETOOLONG: 'its path is too long',
};

/**
 * Makes the directory if there is none, and proves that this process can read and write it.
 * Returns its real path. Throws an error in plain words that names the directory.
 */
export async function prepareDataDir(dir: string): Promise<string> {
  const path = resolve(dir);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return await realpath(path);
  } catch (error) {
    throw new Error(`the data directory ${path} cannot be used: ${reasonOf(error)}`, { cause: error });
  }
}

/** What a failed file operation means, in plain words. */
export function reasonOf(error: unknown): string {
  const { code = '', message } = error as Partial<NodeJS.ErrnoException>;
  return REASONS[code] ?? message ?? String(error);
}
