import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterHome } from './cluster.js';
import { answers, connectionUrl } from './connection.js';
import { isServing, readPostmasterFile } from './postmaster.js';

/** Whether there is a database under a data directory, whoever uses it. */
export async function hasCluster(dataDir: string): Promise<boolean> {
  return stat(join(clusterHome(dataDir), 'data', 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/**
 * Where the server of a data directory listens at this moment, for a process that is not the one that keeps it; null
 * when none runs or answers.
 */
export async function findRunningServer(dataDir: string): Promise<string | null> {
  const home = clusterHome(await realpath(dataDir));
  const pgdata = join(home, 'data');
  const file = await readPostmasterFile(pgdata);
  if (!file?.ready || !(await isServing(file.pid, pgdata))) return null;
  const password = (await readFile(join(home, 'password'), 'utf8')).trim();
  const cluster = { home, pgdata, password };
  return (await answers(cluster, file.port)) ? connectionUrl(cluster, file.port) : null;
}
