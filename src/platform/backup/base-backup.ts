import { randomBytes } from 'node:crypto';
import pg from 'pg';

const CONNECT_TIMEOUT_MS = 10_000;
const LABEL = 'trunkline backup';

/** What the server is, before its files are copied. */
export interface ServerFacts {
  readonly version: string;
  readonly major: number;
  readonly systemIdentifier: string;
  readonly walSegmentBytes: number;
}

/** What makes a copy of the files whole. */
export interface BackupEnd {
  /** To stand beside the copied files, byte for byte. */
  readonly label: string;
  readonly firstSegment: string;
  readonly lastSegment: string;
  /** By the server's clock; everything committed before is in the copy. */
  readonly stateAt: Date;
}

/**
 * An online copy of a running server's files, by PostgreSQL's low-level interface. The server knows of it as long as
 * this session lives: it logs whole pages, so that what is read half written is mended, and a temporary replication
 * slot keeps the log of changes that the copy needs. When the session ends, however it ends, both are over.
 */
export class BaseBackup {
  private firstSegment = '';

  private constructor(
    private readonly client: pg.Client,
    readonly server: ServerFacts,
  ) {}

  /** Connects as a superuser. Rejects where the server's files alone would not be the whole of it. */
  static async connect(connectionString: string): Promise<BaseBackup> {
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'trunkline/backup',
      keepAlive: true,
    });
    // A server that dies reports it here; the next statement says the same.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('set statement_timeout = 0; set idle_session_timeout = 0');
      return new BaseBackup(client, await readFacts(client));
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  /** From now on the files may be copied. A checkpoint comes first, which may take a moment. */
  async start(): Promise<void> {
    const slot = `trunkline_backup_${randomBytes(6).toString('hex')}`;
    // Before the start, so that not one segment between the two is lost.
    await this.client.query('select pg_create_physical_replication_slot($1, true, true)', [slot]);
    const { rows } = await this.client.query<{ segment: string }>(
      'select pg_walfile_name(lsn) as segment from pg_backup_start($1, true) as lsn',
      [LABEL],
    );
    this.firstSegment = rows[0]?.segment ?? '';
  }

  /** The files have been copied. Their log segments are kept until `close`. */
  async stop(): Promise<BackupEnd> {
    const clock = await this.client.query<{ now: Date }>('select clock_timestamp() as now');
    const { rows } = await this.client.query<{ segment: string; label: string }>(
      'select pg_walfile_name(lsn) as segment, labelfile as label from pg_backup_stop(false)',
    );
    const [stateAt, end] = [clock.rows[0]?.now, rows[0]];
    if (!stateAt || !end) throw new Error('PostgreSQL did not say how the backup ended');
    return { label: end.label, firstSegment: this.firstSegment, lastSegment: end.segment, stateAt };
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

async function readFacts(client: pg.Client): Promise<ServerFacts> {
  const { rows } = await client.query<{
    version: string;
    number: number;
    identifier: string;
    bytes: number;
    spaces: number;
  }>(
    `select current_setting('server_version') as version,
       current_setting('server_version_num')::int as number,
       (select system_identifier::text from pg_control_system()) as identifier,
       (select setting::int from pg_settings where name = 'wal_segment_size') as bytes,
       (select count(*)::int from pg_tablespace where spcname not in ('pg_default', 'pg_global')) as spaces`,
  );
  const [facts] = rows;
  if (!facts) throw new Error('PostgreSQL did not say what it is');
  if (facts.spaces > 0)
    throw new Error('the database has tablespaces outside its directory, which a backup would miss');
  const { version, number, identifier: systemIdentifier, bytes: walSegmentBytes } = facts;
  return { version, major: Math.floor(number / 10_000), systemIdentifier, walSegmentBytes };
}
