import type pg from 'pg';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { asSuperuser } from '../../../platform/event-log/event-log.test-support.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';
import { ensurePartitions } from '../../../platform/postgres/partitions.js';
import { idFloor, newId } from '../../../shared/sid.js';
import { DispatchRepository } from './dispatch.repository.js';
import type { MessageCounts } from './message-counts.js';
import { MessageViews } from './message-views.js';
import { MessagesRepository } from './messages.repository.js';
import type { MessagingDatabase, MessagingLog } from './messaging.storage.js';
import { ScheduledRepository } from './scheduled.repository.js';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

const BIG = newId();
const SMALL = newId();
const ROWS = 60_000;
const SCHEDULED = 20_000;
const WEEK_MS = 7 * 24 * 3600 * 1000;
const PAGE = 51;
const MAX_READ = 2_000;

/** Reads need neither the log nor the counts. */
const LOG = { headCte: () => '', insert: () => '' } as unknown as MessagingLog;
const COUNTS = {} as MessageCounts;

let database: TestDatabase;
let db: ModuleDatabase;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  db = new ModuleDatabase({ module: 'messaging', connectionString: database.url });
  const startMs = Date.now() - WEEK_MS;
  await ensurePartitions(database.url, 'messaging', startMs);
  // As it is right after much was written: no vacuum and no analysis has seen the rows.
  await asSuperuser(database.url, async (client) => {
    await client.query('alter system set autovacuum = off');
    await client.query('select pg_reload_conf()');
    await client.query(
      `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number, body,
        encoding, segments, retry_unknown, price_micros, currency, created_at, updated_at, sent_at, valid_until)
      select case when g % 50 = 0 then '${SMALL}'::uuid else '${BIG}'::uuid end, (lpad(to_hex(ms), 12, '0') || '7000' ||
          '8000' || lpad(to_hex(g), 12, '0'))::uuid, 3, case when g % 500 = 1 then 'queued' else 'delivered' end,
        'outbound-api', 'realtime', 'one', '+1500555' || lpad((g % 10)::text, 4, '0'), '+1415' || lpad((g % 9973)::text, 7, '0'),
        'x', 'GSM-7', 1, false, 1, 'USD', to_timestamp(ms / 1000.0), now(), to_timestamp(ms / 1000.0), now() + interval '1 hour'
      from (select g, ${startMs}::bigint + g * ${Math.floor(WEEK_MS / ROWS)}::bigint as ms from generate_series(1, ${ROWS}) g) s`,
    );
    // Of what is scheduled, a hundred are due.
    await client.query(
      `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number, body,
        encoding, segments, retry_unknown, price_micros, currency, created_at, updated_at, valid_until, send_at, from_asked)
      select '${BIG}', (lpad(to_hex(ms), 12, '0') || '7000' || '9000' || lpad(to_hex(g), 12, '0'))::uuid, 1, 'scheduled',
        'outbound-api', 'normal', 'one', '+15005550001', '+1416' || lpad(g::text, 7, '0'), 'x', 'GSM-7', 1, false, 1, 'USD',
        to_timestamp(ms / 1000.0), now(), now() + interval '40 days', date_trunc('second', now()) + (g - 100) * interval '1 s', false
      from (select g, ${startMs}::bigint + g * ${Math.floor(WEEK_MS / SCHEDULED)}::bigint as ms
        from generate_series(1, ${SCHEDULED}) g) s`,
    );
  });
});

afterAll(async () => {
  await db?.close();
  await database?.stop();
});

/** Runs what a repository would run, explained, on the pool that it would run on; returns each statement's nodes. */
async function plansOf(act: (explaining: MessagingDatabase) => Promise<unknown>): Promise<PlanNode[][]> {
  const plans: PlanNode[][] = [];
  const explain = (pool: pg.Pool) => async (query: pg.QueryConfig | string, values?: unknown[]) => {
    const { text, values: own } = typeof query === 'string' ? { text: query, values } : query;
    const { rows } = await pool.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `explain (analyze, format json) ${text}`,
      own ?? [],
    );
    const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
    plans.push(flatten(rows[0]!['QUERY PLAN'][0]!.Plan));
    return { rows: [] };
  };
  await act({ query: explain(db.data), search: { query: explain(db.search) } } as unknown as MessagingDatabase);
  return plans;
}

function readsLittle(nodes: readonly PlanNode[], most: number): void {
  const read = (node: PlanNode) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
  const scans = nodes.filter((node) => node['Relation Name']);
  expect(scans.length).toBeGreaterThan(0);
  expect(scans.filter((node) => node['Node Type'] === 'Seq Scan' && read(node) > 0)).toEqual([]);
  expect(Math.max(...nodes.map(read))).toBeLessThanOrEqual(most);
}

describe('a page of a large account', () => {
  const list = (filter = {}, from = {}) =>
    plansOf((explaining) => new MessageViews(explaining).list(BIG, filter, from, PAGE));

  it.each([
    ['the newest', {}, {}, 2 * PAGE],
    ['those older than one', {}, { olderThan: idFloor(Date.now() - WEEK_MS / 2) }, 2 * PAGE],
    ['those newer than one', {}, { newerThan: idFloor(Date.now() - WEEK_MS / 2) }, 2 * PAGE],
    ['before a day', { sentBefore: new Date(Date.now() - WEEK_MS / 2) }, {}, MAX_READ],
  ])('(%s) reads little more than it shows, before the table was ever analysed', async (_, filter, from, most) => {
    const [nodes] = await list(filter, from);
    readsLittle(nodes!, most);
  });
});

describe('the hot statements', () => {
  const keys = Array.from({ length: 200 }, () => ({ accountId: BIG, id: newId() }));

  it.each([
    ['fetch', (of: MessagingDatabase) => new MessageViews(of).find(BIG, newId())],
    ['sendable', (of: MessagingDatabase) => new DispatchRepository(of).sendable(keys)],
    ['places', (of: MessagingDatabase) => new DispatchRepository(of).places(100)],
    [
      'waiting',
      (of: MessagingDatabase) =>
        new DispatchRepository(of).waiting([{ queue: 'one', lane: 'realtime', accountId: BIG }], [100]),
    ],
    ['lock', (of: MessagingDatabase) => new MessagesRepository(of, LOG, COUNTS).lock(of, keys)],
    ['due', (of: MessagingDatabase) => new ScheduledRepository(of, LOG, COUNTS).due(50)],
    ['existing', (of: MessagingDatabase) => new MessagesRepository(of, LOG, COUNTS).existing(keys)],
  ])('(%s) read by their index', async (_, act) => {
    const [nodes] = await plansOf(act);
    readsLittle(nodes!, 1_000);
  });
});

describe('a filtered page of a large account', () => {
  beforeAll(() => asSuperuser(database.url, (client) => client.query('analyze messaging.message')));

  it.each([
    ['by recipient', { to: '+14150000017' }],
    ['by an unknown recipient', { to: '+14159999999' }],
    ['by the recipient of a scheduled one', { to: '+14160019000' }],
    ['since a day', { sentFrom: new Date(Date.now() - WEEK_MS / 7) }],
    ['by sender', { from: '+15005550001' }],
    ['by an unknown sender', { from: '+15005559999' }],
  ])('(%s) reads little once the table was analysed', async (_, filter) => {
    const [nodes] = await plansOf((explaining) => new MessageViews(explaining).list(BIG, filter, {}, PAGE));
    readsLittle(nodes!, MAX_READ);
  });
});
