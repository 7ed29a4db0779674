import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/platform/embedded-postgres/embedded-postgres.js';
import type { Cleanup } from './cleanup.js';

/** A PostgreSQL of a scenario's own, set as the product sets its embedded one. */
export async function startPostgres(cleanup: Cleanup): Promise<EmbeddedPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  cleanup.add(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const quiet = { info: () => undefined, warn: () => undefined };
  const server = await startEmbeddedPostgres({ dataDir, log: quiet, endsWithProcess: true });
  cleanup.add(() => server.stop());
  return server;
}
