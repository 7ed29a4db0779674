import pg from 'pg';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { newId } from '../../shared/sid.js';
import { analyseGrowing, dropExpired, type Expiry } from './partition-care.js';
import { EVENT_PARTITION_ROWS, ensurePartitions } from './partitions.js';

const DAY_MS = 24 * 3600 * 1000;
const NOW = Date.UTC(2027, 5, 16);
const LONG_AGO = NOW - 200 * DAY_MS;
const KEEP_MS = 90 * DAY_MS;

let database: TestDatabase;
let admin: pg.Client;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
});

beforeEach(async () => {
  await ensurePartitions(database.url, 'messaging', LONG_AGO);
  await ensurePartitions(database.url, 'messaging', NOW);
  await admin.query('truncate messaging.message; truncate messaging.event');
});

afterAll(async () => {
  await admin?.end();
  await database?.stop();
});

const expiry = (passed = 0): Expiry => ({
  tables: { message: { keepMs: KEEP_MS, live: "status in ('queued', 'sent')" } },
  events: { keepMs: KEEP_MS, passed },
});
const drop = (rule = expiry()) => dropExpired(database.url, 'messaging', rule, NOW);

async function insertMessage(atMs: number, status: string): Promise<string> {
  const { rows } = await admin.query<{ partition: string }>(
    `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number, body,
        encoding, segments, retry_unknown, price_micros, currency, created_at, updated_at, valid_until)
      values ($1, $2, 1, $3, 'outbound-api', 'normal', 'q', '', '', '', 'GSM-7', 1, false, 0, 'USD', now(), now(), now())
      returning tableoid::regclass::text as partition`,
    [newId(), newId(atMs), status],
  );
  return rows[0]!.partition.replace('messaging.', '');
}

const insertEvent = (position: number, atMs: number) =>
  admin.query(
    `insert into messaging.event (position, stream_id, version, type, occurred_at, data)
      values ($1, gen_random_uuid(), 1, 't', to_timestamp($2), '{}')`,
    [position, atMs / 1000],
  );

async function exists(name: string): Promise<boolean> {
  const { rows } = await admin.query('select to_regclass($1) as found', [`messaging.${name}`]);
  return rows[0].found !== null;
}

describe('dropping by retention', () => {
  it('drops an old partition in which everything is final, and keeps what is young', async () => {
    const old = await insertMessage(LONG_AGO, 'delivered');
    const young = await insertMessage(NOW, 'delivered');
    expect(await drop()).toContain(old);
    expect([await exists(old), await exists(young)]).toEqual([false, true]);
    expect(await drop()).toEqual([]);
  });

  it('keeps an old partition with a message that still waits', async () => {
    await insertMessage(LONG_AGO, 'delivered');
    const old = await insertMessage(LONG_AGO, 'queued');
    await drop();
    expect(await exists(old)).toBe(true);
  });

  it('attaches a partition again that a broken run has detached, where something in it came to life', async () => {
    const old = await insertMessage(LONG_AGO, 'queued');
    const { rows } = await admin.query<{ range: string }>(
      `select pg_get_expr(relpartbound, oid) as range from pg_class where oid = $1::regclass`,
      [`messaging.${old}`],
    );
    await admin.query(`comment on table messaging.${old} is ${admin.escapeLiteral(rows[0]!.range)}`);
    await admin.query(`alter table messaging.message detach partition messaging.${old}`);
    expect(await drop()).not.toContain(old);
    expect((await admin.query('select from messaging.message')).rowCount).toBe(1);
  });

  it('keeps a table that no rule names', async () => {
    const old = await insertMessage(LONG_AGO, 'delivered');
    await drop({ ...expiry(), tables: {} });
    expect(await exists(old)).toBe(true);
  });

  it('drops a block of old events when every consumer has passed it, and not before', async () => {
    await insertEvent(5, LONG_AGO);
    expect(await drop(expiry(EVENT_PARTITION_ROWS - 1))).not.toContain('event_0');
    await insertEvent(6, NOW);
    expect(await drop(expiry(EVENT_PARTITION_ROWS))).not.toContain('event_0');
    await admin.query('delete from messaging.event where position = 6');
    expect(await drop(expiry(EVENT_PARTITION_ROWS))).toEqual(['event_0']);
    expect(await exists('event_1')).toBe(true);
  });

  it('gives up, and blocks nobody, while somebody uses the partition; the next run finishes', async () => {
    const old = await insertMessage(LONG_AGO, 'delivered');
    const reader = new pg.Client({ connectionString: database.url });
    await reader.connect();
    try {
      await reader.query('begin; select count(*) from messaging.message');
      await expect(drop()).rejects.toMatchObject({ code: '55P03' });
      // Writers go on in the meantime.
      await insertMessage(NOW, 'queued');
    } finally {
      await reader.query('rollback');
      await reader.end();
    }
    expect(await drop()).toContain(old);
    expect(await exists(old)).toBe(false);
  });
});

describe('analysing early', () => {
  it('analyses a partition when it has some thousand rows, and again only when it has grown', async () => {
    const grow = (from: number, count: number) =>
      admin.query(
        `insert into messaging.event (position, stream_id, version, type, data)
          select g, gen_random_uuid(), 1, 't', '{}' from generate_series($1::int, $2::int) g`,
        [EVENT_PARTITION_ROWS + from, EVENT_PARTITION_ROWS + from + count - 1],
      );
    const analyse = async () => {
      await admin.query('select pg_stat_force_next_flush(), pg_stat_clear_snapshot()');
      return analyseGrowing(database.url, 'messaging');
    };
    await grow(1, 100);
    expect(await analyse()).toEqual([]);
    await grow(101, 8_000);
    expect(await analyse()).toEqual(['event_1']);
    await grow(8_101, 100);
    expect(await analyse()).toEqual([]);
    await grow(8_201, 20_000);
    expect(await analyse()).toEqual(['event_1']);
  });
});
