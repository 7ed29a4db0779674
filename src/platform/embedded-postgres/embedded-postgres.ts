import { findBinaries } from './binaries.js';
import { clusterHome, openCluster } from './cluster.js';
import { prepareDataDir } from './data-dir.js';
import { chooseIdentity } from './identity.js';
import { SERVER_SETTINGS, type ServerSettings } from './server-settings.js';
import { makeSocketDirectory } from './socket-directory.js';
import { type ServerLog, Supervisor } from './supervisor.js';

export interface EmbeddedPostgresOptions {
  /** Everything is kept below this directory; the caller holds its lock (see data-dir-lock). */
  readonly dataDir: string;
  readonly log: ServerLog;
  /** Configuration parameters that replace or extend the built-in ones. */
  readonly settings?: ServerSettings;
  /**
   * Stops the server when this process is killed, as tests and tools want it. Without it a killed process leaves its
   * server to the next start.
   */
  readonly endsWithProcess?: boolean;
}

export interface EmbeddedPostgres {
  /**
   * Connects as the superuser, for as long as this process runs: a server that died comes back where it was. It names the
   * Unix-domain socket as `host` where there is one, and the TCP port for those who do not look there.
   */
  readonly url: string;
  /** The server's process id at this moment. */
  pid(): number;
  /** Stops the server in bounded time and leaves no process; may be called again. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on a free port of 127.0.0.1 with the data under `dataDir`, and keeps it running until `stop`.
 *
 * The server has a process group of its own, so that Ctrl-C in a terminal does not reach it and the application can
 * drain first. One that an earlier, killed application left is taken over if it answers, otherwise replaced.
 * Throws an error in plain words when the directory or the user makes it impossible.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = await prepareDataDir(options.dataDir);
  const binaries = findBinaries();
  const identity = await chooseIdentity(binaries, dataDir, clusterHome(dataDir));
  const cluster = await openCluster(dataDir, binaries, identity);
  const sockets = await makeSocketDirectory(cluster.home, identity);
  const settings = { ...SERVER_SETTINGS, unix_socket_directories: sockets ?? '', ...options.settings };
  const supervisor = new Supervisor({
    binaries,
    identity,
    cluster,
    settings,
    log: options.log,
    endsWithProcess: options.endsWithProcess ?? false,
  });
  await supervisor.start();
  return { url: supervisor.url(), pid: () => supervisor.pid, stop: () => supervisor.stop() };
}
