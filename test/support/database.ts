import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/platform/embedded-postgres/embedded-postgres.js';
import { migrate } from '../../src/platform/postgres/migrate.js';
import { ensurePartitions } from '../../src/platform/postgres/partitions.js';
import { MODULES, type ModuleName } from '../../src/platform/settings/settings.js';
import { fillFromTemplate } from './templates.js';

export interface TestDatabase {
  /** Connects as the superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

const MIGRATIONS = fileURLToPath(new URL('../../prisma/', import.meta.url));
const quiet = { info: () => undefined, warn: () => undefined };
/** Processes are killed here, machines are not: what the system has been given is safe. */
const NO_POWER_CUTS = { fsync: 'off' };

/** A PostgreSQL server of this test's own, with the schemas of the given modules (all, by default) and no data. */
export async function startTestDatabase(modules: readonly ModuleName[] = MODULES): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const removeDir = () => rm(dataDir, { recursive: true, force: true });
  try {
    await fillWithDatabase(dataDir, modules);
    const server = await startServer(dataDir);
    const stop = async () => {
      await server.stop();
      await removeDir();
    };
    return { url: server.url, stop };
  } catch (error) {
    await removeDir();
    throw error;
  }
}

/** Fills an empty data directory with a database that has the schemas of the given modules and no data. */
export function fillWithDatabase(dataDir: string, modules: readonly ModuleName[] = MODULES): Promise<void> {
  return fillFromTemplate(`database-${modules.join('-')}`, dataDir, async (directory) => {
    if (modules.length > 0) await fillWithDatabase(directory, []);
    const server = await startServer(directory);
    try {
      for (const module of modules) await makeSchema(server.url, module);
    } finally {
      await server.stop();
    }
  });
}

function startServer(dataDir: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, log: quiet, endsWithProcess: true, settings: NO_POWER_CUTS });
}

async function makeSchema(url: string, module: ModuleName): Promise<void> {
  await migrate({ connectionString: url, module, dir: join(MIGRATIONS, module, 'migrations'), log: quiet });
  await ensurePartitions(url, module, Date.now());
}
