import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/embedded-postgres.js';
import { migrate } from '../../src/platform/postgres/migrate.js';
import { diffSchema } from './schema-engine.js';

export interface NewMigrationOptions {
  /** The directory with one folder per module. */
  readonly prismaDir: string;
  readonly module: string;
  /** What the migration does, as `lower_case_words`. */
  readonly name: string;
  readonly now: Date;
}

const quiet = { info: () => undefined, warn: () => undefined };

/**
 * Writes the migration from what a module's migrations make to what its schema file says, and returns its path;
 * undefined when they agree already. Works on a server of its own, which is gone afterwards.
 */
export async function newMigration({ prismaDir, module, name, now }: NewMigrationOptions): Promise<string | undefined> {
  const schemaFile = join(prismaDir, module, 'schema.prisma');
  if (!/^[a-z][a-z0-9_]*$/.test(module) || !existsSync(schemaFile)) throw new Error(`there is no module '${module}'`);
  if (!/^[a-z0-9_]{1,100}$/.test(name)) throw new Error(`the name '${name}' has other characters than a-z, 0-9 and _`);
  const dir = join(prismaDir, module, 'migrations');
  await mkdir(dir, { recursive: true });
  const sql = await missingSql(schemaFile, module, dir);
  if (sql === undefined) return undefined;

  const timestamp = now.toISOString().replace(/\D/g, '').slice(0, 14);
  const last = (await readdir(dir))
    .filter((entry) => /^\d{14}_/.test(entry))
    .sort()
    .at(-1);
  if (last !== undefined && last.slice(0, 14) >= timestamp) throw new Error(`${last} is not older than ${timestamp}`);
  const path = join(dir, `${timestamp}_${name}`, 'migration.sql');
  await mkdir(join(path, '..'));
  await writeFile(path, sql);
  await writeFile(join(dir, 'migration_lock.toml'), 'provider = "postgresql"\n');
  return path;
}

async function missingSql(schemaFile: string, module: string, dir: string): Promise<string | undefined> {
  const scratch = await mkdtemp(join(tmpdir(), 'trunkline-migration-'));
  try {
    // Nothing here outlives the call, so nothing needs to survive a power cut.
    const settings = { fsync: 'off' };
    const server = await startEmbeddedPostgres({ dataDir: scratch, log: quiet, settings, endsWithProcess: true });
    try {
      const target = { connectionString: server.url, module, schemaFile };
      await migrate({ ...target, dir, log: quiet });
      return await diffSchema(target);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
