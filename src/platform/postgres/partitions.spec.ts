import pg from 'pg';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { idFloor, newId } from '../../shared/sid.js';
import { EventLog } from '../event-log/event-log.js';
import { counted, openHouse, Streams, TEST_EVENTS, type TestHouse } from '../event-log/event-log.test-support.js';
import { EVENT_PARTITION_ROWS, ensurePartitions } from './partitions.js';

const WEEK_MS = 7 * 24 * 3600 * 1000;
const NOW = Date.UTC(2026, 10, 18, 12);

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

let database: TestDatabase;
let admin: pg.Client;
let house: TestHouse;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  house = openHouse(database.url);
});

afterAll(async () => {
  await house?.db.close();
  await admin?.end();
  await database?.stop();
});

const ensure = (now = NOW) => ensurePartitions(database.url, 'messaging', now);

async function partitionsOf(table: string): Promise<string[]> {
  const { rows } = await admin.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass order by 1`,
    [`messaging.${table}`],
  );
  return rows.map((row) => row.name.replace('messaging.', ''));
}

async function setHead(position: number): Promise<void> {
  await admin.query('update messaging.event_head set position = $1', [position]);
}

function insertMessage(id: string): Promise<unknown> {
  return admin.query(
    `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number, body,
        encoding, segments, retry_unknown, price_micros, currency, created_at, updated_at, valid_until)
      values ($1, $2, 1, 'queued', 'outbound-api', 'normal', 'q', '', '', '', 'GSM-7', 1, false, 0, 'USD', now(), now(),
        now()) returning tableoid::regclass::text as partition`,
    [newId(), id],
  );
}

describe('making partitions', () => {
  it('makes what is missing, once, also when several processes do it at the same time', async () => {
    await admin.query('drop table messaging.event_1, messaging.event_2');
    const made = await Promise.all(Array.from({ length: 5 }, () => ensure(Date.now())));
    expect(made.flat().sort()).toEqual(['event_1', 'event_2']);
    expect(await ensure(Date.now())).toEqual([]);
  });

  it('makes the weeks of ids from the one before this to four ahead, each beginning where the last one ends', async () => {
    await ensure();
    const first = Math.floor(NOW / WEEK_MS) - 1;
    const weeks = Array.from({ length: 6 }, (_, index) => (first + index) * WEEK_MS);
    const names = weeks.map((start) => `message_${new Date(start).toISOString().slice(0, 10).replaceAll('-', '')}`);
    expect(await partitionsOf('message')).toEqual(expect.arrayContaining(names));
    for (const [index, start] of weeks.entries()) {
      for (const id of [idFloor(start), newId(start), newId(start + WEEK_MS - 1)]) {
        const { rows } = (await insertMessage(id)) as pg.QueryResult<{ partition: string }>;
        expect(rows[0]!.partition).toBe(`messaging.${names[index]}`);
      }
    }
    const past = newId(weeks[0]! - 1);
    await expect(insertMessage(past)).rejects.toMatchObject({ code: '23514' });
  });

  it('makes two blocks ahead of the head of the log', async () => {
    for (const [head, last] of [
      [EVENT_PARTITION_ROWS - 1, 2],
      [EVENT_PARTITION_ROWS, 3],
      [3 * EVENT_PARTITION_ROWS + 5, 5],
    ] as const) {
      await setHead(head);
      await ensure();
      const expected = Array.from({ length: last + 1 }, (_, index) => `event_${index}`);
      expect(await partitionsOf('event')).toEqual(expected);
    }
    await setHead(0);
  });

  it('gives each block of the log its unique version of a stream', async () => {
    const { rows } = await admin.query<{ table: string }>(
      `select indrelid::regclass::text as table from pg_index
        where indisunique and pg_get_indexdef(indexrelid) like '%(stream_id, version)'`,
    );
    const blocks = (await partitionsOf('event')).map((name) => `messaging.${name}`);
    expect(rows.map((row) => row.table).sort()).toEqual(blocks);
  });

  it('waits for nobody who reads or writes, and keeps nobody from it', async () => {
    await admin.query('drop table messaging.event_5');
    await setHead(3 * EVENT_PARTITION_ROWS);
    const writer = new pg.Client({ connectionString: database.url });
    await writer.connect();
    try {
      await writer.query('begin');
      await writer.query("insert into messaging.event values (1, $1, 1, 't', null, now(), '{}')", [newId()]);
      await writer.query('select count(*) from messaging.event');
      expect(await ensure()).toEqual(['event_5']);
    } finally {
      await writer.query('rollback');
      await writer.end();
      await setHead(0);
    }
  });

  it('leaves nothing behind when it fails, and says why', async () => {
    await admin.query(`drop table messaging.event_5; create table messaging.odd (at date) partition by range (at);
      update messaging.event_head set position = ${3 * EVENT_PARTITION_ROWS}`);
    await expect(ensure()).rejects.toThrow('messaging.odd is partitioned by a date');
    expect(await partitionsOf('event')).not.toContain('event_5');
    await admin.query('drop table messaging.odd');
    expect(await ensure()).toEqual(['event_5']);
    await setHead(0);
  });
});

describe('reading a page', () => {
  beforeAll(async () => {
    await setHead(EVENT_PARTITION_ROWS - 500);
    await admin.query(
      `insert into messaging.event (position, stream_id, version, type, data)
        select g, gen_random_uuid(), 1, '${counted.type}', '{}'
        from generate_series(${EVENT_PARTITION_ROWS - 20_000}, ${EVENT_PARTITION_ROWS - 500}) g`,
    );
    const events = new Streams(1).next(1000);
    await house.db.transaction((tx) => house.log.append(tx, events));
  });

  it('goes on across the border of two blocks', async () => {
    const positions: number[] = [];
    for (let after = EVENT_PARTITION_ROWS - 500; ; after = positions.at(-1)!) {
      const page = await house.log.read(after, 300);
      if (page.length === 0) break;
      positions.push(...page.map((event) => event.position));
    }
    expect(positions).toHaveLength(1000);
    expect(positions.at(-1)).toBe(EVENT_PARTITION_ROWS + 500);
  });

  it.each(['before', 'after'])(
    'touches one or two of the blocks, by their index, %s they were analysed',
    async (when) => {
      if (when === 'after') await admin.query('analyze messaging.event_0, messaging.event_1');
      for (const [after, blocks] of [
        [EVENT_PARTITION_ROWS - 10_000, ['event_0']],
        [EVENT_PARTITION_ROWS - 100, ['event_0', 'event_1']],
        [EVENT_PARTITION_ROWS + 100, ['event_1']],
        [2 * EVENT_PARTITION_ROWS + 100, ['event_2']],
      ] as const) {
        const nodes = await planOfReading(after);
        expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
        const scanned = nodes.flatMap((node) => node['Relation Name'] ?? []);
        expect([...new Set(scanned)].sort()).toEqual(blocks);
      }
    },
  );

  /** The plan of the statement that the log really runs, under the settings of the pool that runs it. */
  async function planOfReading(after: number): Promise<PlanNode[]> {
    const statements: pg.QueryConfig[] = [];
    const spied = Object.assign(Object.create(house.db), {
      query: (statement: pg.QueryConfig) => {
        statements.push(statement);
        return Promise.resolve({ rows: [] });
      },
    });
    await new EventLog(spied, TEST_EVENTS).read(after);
    const [{ text, values }] = statements as [pg.QueryConfig];
    const { rows } = await house.db.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `explain (format json) ${text}`,
      values as unknown[],
    );
    const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
    return flatten(rows[0]!['QUERY PLAN'][0]!.Plan);
  }
});
