import type pg from 'pg';
import { basic, call, MESSAGES } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { type DataDir, makeReadyDataDir, OPERATOR_TOKEN, type Product, startProduct } from '../support/product.js';
import { connectToDatabaseOf } from '../support/product-database.js';

const TEST_MS = 120_000;
const LISTS = 20;
const OPERATOR = { authorization: `Bearer ${OPERATOR_TOKEN}` };
/** What must be answered at once, whatever the lists do. */
const QUICK: readonly [path: string, headers: Record<string, string>][] = [
  ['/health/ready', {}],
  ['/health/live', {}],
  ['/v1/operator/carriers', OPERATOR],
  ['/v1/operator/routes', OPERATOR],
  ['/v1/operator/accounts', OPERATOR],
  ['/v1/operator/consumers', OPERATOR],
];

let dir: DataDir;
let product: Product;
let client: pg.Client;

beforeAll(async () => {
  dir = await makeReadyDataDir();
  product = await startProduct({ dataDir: dir.path });
  client = await connectToDatabaseOf(product.dataDir);
}, TEST_MS);

afterAll(async () => {
  await client?.end();
  await product?.stop();
  await dir?.remove();
}, TEST_MS);

const list = () => call(product.url, MESSAGES, { headers: { authorization: basic() } });

it(
  'lists that get no answer from the database are refused in time, and hold up nothing else',
  async () => {
    expect((await list()).status).toBe(200);
    await client.query('begin; lock table messaging.message in access exclusive mode');
    let open = LISTS;
    const lists = Array.from({ length: LISTS }, () => list().finally(() => open--));
    await eventually(async () => {
      const { rows } = await client.query<{ waiting: number }>(
        `select count(*)::int as waiting from pg_locks l join pg_stat_activity a using (pid)
          where not l.granted and l.relation = 'messaging.message'::regclass and a.query ilike '%from messaging.message%'`,
      );
      return rows[0]!.waiting > 0;
    });
    for (const [path, headers] of QUICK) {
      const { status, text } = await call(product.url, path, { headers });
      expect([path, status, text]).toEqual([path, 200, text]);
    }
    // Nothing of these has waited for a list: those that were first are still being waited for.
    expect(open).toBeGreaterThan(0);
    for (const { status, headers } of await Promise.all(lists)) {
      expect(status).toBe(503);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    await client.query('rollback');
    await eventually(async () => (await list()).status === 200, { what: 'lists are answered again' });
  },
  TEST_MS,
);
