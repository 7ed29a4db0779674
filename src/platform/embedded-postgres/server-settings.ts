/** Configuration parameters of the server, by PostgreSQL's names. */
export type ServerSettings = Readonly<Record<string, string>>;

/** How the embedded server is set: durable, on the loopback only, for a laptop of two cores. */
export const SERVER_SETTINGS: ServerSettings = {
  listen_addresses: '127.0.0.1',
  // Unless there is a directory for it: see socket-directory.ts.
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '256MB',
  // Containers have a small /dev/shm, which parallel queries would need.
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  jit: 'off',
  random_page_cost: '1.1',
  wal_compression: 'on',
  max_wal_size: '2GB',
  checkpoint_completion_target: '0.9',
  // Queue-like tables change wholly within minutes and stay small: look often. What grows need not be gone through at
  // every twentieth row, which took a seventh of a loaded machine; its partitions are analysed as they grow (partition-care).
  autovacuum_naptime: '10s',
  autovacuum_vacuum_scale_factor: '0.1',
  autovacuum_vacuum_insert_scale_factor: '0.2',
  autovacuum_analyze_scale_factor: '2',
  autovacuum_vacuum_cost_limit: '1000',
  // The session of a process that was killed gives its locks back.
  client_connection_check_interval: '2s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'postgresql-%Y%m%dT%H%M%S.log',
  log_rotation_age: '1d',
  log_rotation_size: '10MB',
  log_checkpoints: 'off',
  // Statements and details can hold what customers write, which belongs in no log.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

/** The newest log files that are kept; the others are removed. */
export const KEPT_LOG_FILES = 4;

/** The server's command line for a data directory, a port and settings. */
export function serverArguments(pgdata: string, port: number, settings: ServerSettings): string[] {
  const named = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', pgdata, '-p', String(port), ...named];
}
