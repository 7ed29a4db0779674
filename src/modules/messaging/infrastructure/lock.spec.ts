import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { eventually } from '../../../../test/support/eventually.js';
import { withClient } from '../../../../test/support/with-client.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';
import { ensurePartitions } from '../../../platform/postgres/partitions.js';
import { newId } from '../../../shared/sid.js';
import type { MessageCounts } from './message-counts.js';
import { MessagesRepository } from './messages.repository.js';
import type { MessagingDatabase, MessagingLog } from './messaging.storage.js';

const WEEK_MS = 7 * 24 * 3600 * 1000;
const ACCOUNT = newId();
/** Locking needs neither the log nor the counts. */
const LOG = { headCte: () => '', insert: () => '' } as unknown as MessagingLog;
const COUNTS = {} as MessageCounts;

let database: TestDatabase;
let db: ModuleDatabase;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  await ensurePartitions(database.url, 'messaging', Date.now() - WEEK_MS);
  db = new ModuleDatabase({ module: 'messaging', connectionString: database.url });
});

afterAll(async () => {
  await db?.close();
  await database?.stop();
});

async function write(ids: readonly string[]): Promise<void> {
  await db.query(
    `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number, body,
        encoding, segments, retry_unknown, price_micros, currency, created_at, updated_at, valid_until)
      select $1, id, 1, 'queued', 'outbound-api', 'realtime', 'one', '+1', '+1', 'x', 'GSM-7', 1, false, 1, 'USD', now(), now(),
        now() + interval '1 hour' from unnest($2::uuid[]) as i(id)`,
    [ACCOUNT, ids],
  );
}

async function someoneWaits(): Promise<boolean> {
  return withClient(database.url, async (client) => {
    const { rows } = await client.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock'`);
    return rows.length > 0;
  });
}

it('finds every message that it had to wait for, of whatever weeks they are', async () => {
  const ids = Array.from({ length: 30 }, (_, index) => newId(Date.now() - (index % 3) * WEEK_MS));
  await write(ids);
  const messages = new MessagesRepository(db as MessagingDatabase, LOG, COUNTS);
  const keys = ids.map((id) => ({ accountId: ACCOUNT, id }));
  await withClient(database.url, async (other) => {
    await other.query('begin');
    await other.query('update messaging.message set version = 2 where id = any($1)', [ids]);
    const locking = db.transaction((tx) => messages.lock(tx, keys));
    await eventually(someoneWaits, { what: 'the lock is waited for' });
    await other.query('commit');
    const locked = await locking;
    expect([...locked.keys()]).toEqual([...ids].sort());
    expect([...locked.values()].map((message) => message.version)).toEqual(ids.map(() => 2));
  });
});
