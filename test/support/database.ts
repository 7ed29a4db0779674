import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/embedded-postgres.js';
import { migrate } from '../../src/platform/postgres/migrate.js';
import { ensurePartitions } from '../../src/platform/postgres/partitions.js';
import { MODULES, type ModuleName } from '../../src/platform/settings/settings.js';

export interface TestDatabase {
  /** Connects as the superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

const quiet = { info: () => undefined, warn: () => undefined };

/** A PostgreSQL server of this test's own, with the schemas of the given modules (all, by default) and no data. */
export async function startTestDatabase(modules: readonly ModuleName[] = MODULES): Promise<TestDatabase> {
  const dir = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const removeDir = () => rm(dir, { recursive: true, force: true });
  const server = await startEmbeddedPostgres({ dataDir: dir, log: quiet }).catch(async (error: unknown) => {
    await removeDir();
    throw error;
  });
  const stop = async () => {
    await server.stop();
    await removeDir();
  };
  try {
    for (const module of modules) await prepare(server.url, module);
    return { url: server.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function prepare(url: string, module: ModuleName): Promise<void> {
  await migrate({ connectionString: url, module, dir: resolve('prisma', module, 'migrations'), log: quiet });
  await ensurePartitions(url, module, Date.now());
}
