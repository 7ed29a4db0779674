import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/embedded-postgres.js';
import { MODULES } from '../../src/platform/settings/settings.js';
import { readBalance } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Load } from '../support/load.js';
import { type DataDir, makeReadyDataDir, SIMULATORS, startProduct } from '../support/product.js';

/** The lean path's budget, from accept to settled: what the product's throughput rests on. */
const MAX_WRITES_PER_MESSAGE = 12;
const MESSAGES = 2_000;
/** The budget is that of a busy product: what a group writes once, few messages share on an idle one. */
const CONNECTIONS = 100;
/** Long enough that every message is recorded as sent before it is recorded as delivered. */
const RECEIPT_DELAY_MS = 4_000;
const TEST_MS = 240_000;

type Writes = Map<string, number>;

/**
 * Rows inserted, updated and deleted so far, by table; partitions count for their parent. Read from a server that the
 * product has left: every connection's figures are in, and nothing is still on its way.
 */
async function readWrites(dataDir: string): Promise<Writes> {
  const quiet = { info: () => undefined, warn: () => undefined };
  const server = await startEmbeddedPostgres({ dataDir, log: quiet, endsWithProcess: true });
  const client = new pg.Client({ connectionString: server.url });
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string; writes: string }>(
      `select s.schemaname || '.' || coalesce(parent.relname, s.relname) as name,
          sum(n_tup_ins + n_tup_upd + n_tup_del) as writes
        from pg_stat_user_tables s
          left join pg_inherits i on i.inhrelid = s.relid
          left join pg_class parent on parent.oid = i.inhparent
        where s.schemaname = any($1) group by 1`,
      [[...MODULES, 'bullmq']],
    );
    return new Map(rows.map(({ name, writes }) => [name, Number(writes)]));
  } finally {
    await client.end();
    await server.stop();
  }
}

/** One life of the product, in which so many messages are accepted and settled. */
async function live(dataDir: string, messages: number, receiptDelayMs: number): Promise<void> {
  const product = await startProduct({ dataDir });
  try {
    if (messages > 0) {
      for (const carrier of SIMULATORS) {
        await product.operator('PUT', `simulator/carriers/${carrier}`, { receipt_delay_ms: receiptDelayMs });
      }
      const load = new Load(product.url, CONNECTIONS, messages);
      await load.done();
      expect(load.refused.filter(({ status }) => status !== 503)).toEqual([]);
      expect(load.accepted).toHaveLength(messages);
      await eventually(
        async () => {
          const { reserved } = await readBalance(product.url);
          const { data } = await product.operator<{ data: { lag: number }[] }>('GET', 'consumers');
          return Number(reserved) === 0 && data.every(({ lag }) => lag === 0);
        },
        { timeoutMs: 90_000, everyMs: 500, what: 'every message is settled' },
      );
    }
  } finally {
    await product.stop();
  }
}

describe(`a message without callback writes at most ${MAX_WRITES_PER_MESSAGE} rows, all overhead included`, () => {
  let dir: DataDir;
  let before: Writes;

  beforeAll(async () => {
    dir = await makeReadyDataDir();
    await live(dir.path, 0, 0);
    before = await readWrites(dir.path);
  }, TEST_MS);

  afterAll(() => dir?.remove());

  it.each([
    ['at once', 0],
    ['later', RECEIPT_DELAY_MS],
  ])(
    'with its receipt %s',
    async (when, receiptDelayMs) => {
      await live(dir.path, MESSAGES, receiptDelayMs);
      const after = await readWrites(dir.path);
      const perMessage = [...after]
        .map(([table, writes]) => [table, (writes - (before.get(table) ?? 0)) / MESSAGES] as const)
        .filter(([, writes]) => writes > 0)
        .sort(([, a], [, b]) => b - a);
      before = after;
      const sum = perMessage.reduce((total, [, writes]) => total + writes, 0);
      const lines = perMessage.map(([table, writes]) => `${writes.toFixed(3).padStart(8)}  ${table}`);
      process.stderr.write(`\nrow writes per message, receipt ${when}: ${sum.toFixed(2)}\n${lines.join('\n')}\n`);
      // A figure that is too good has counted nothing: message, events and charge are eight by themselves.
      expect(sum).toBeGreaterThan(8);
      expect(sum).toBeLessThanOrEqual(MAX_WRITES_PER_MESSAGE);
    },
    TEST_MS,
  );
});
