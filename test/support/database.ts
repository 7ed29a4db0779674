import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/embedded-postgres.js';
import { migrate } from '../../src/platform/postgres/migrate.js';
import { ensurePartitions } from '../../src/platform/postgres/partitions.js';
import { MODULES, type ModuleName } from '../../src/platform/settings/settings.js';

export interface TestDatabase {
  /** Connects as the superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

const MIGRATIONS = fileURLToPath(new URL('../../prisma/', import.meta.url));
const quiet = { info: () => undefined, warn: () => undefined };

/** A PostgreSQL server of this test's own, with the schemas of the given modules (all, by default) and no data. */
export async function startTestDatabase(modules: readonly ModuleName[] = MODULES): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const removeDir = () => rm(dataDir, { recursive: true, force: true });
  const server = await startEmbeddedPostgres({ dataDir, log: quiet, endsWithProcess: true }).catch(
    async (error: unknown) => {
      await removeDir();
      throw error;
    },
  );
  const stop = async () => {
    await server.stop();
    await removeDir();
  };
  try {
    for (const module of modules) {
      const dir = join(MIGRATIONS, module, 'migrations');
      await migrate({ connectionString: server.url, module, dir, log: quiet });
      await ensurePartitions(server.url, module, Date.now());
    }
    return { url: server.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
