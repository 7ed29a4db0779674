import { CarriersWorker } from '../../../../test/support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { eventually } from '../../../../test/support/eventually.js';
import { newId } from '../../../shared/sid.js';
import { FORGET_BATCH, KEEP_ORPHANS_MS } from './forget-orphans.js';

const SLACK_MS = 60_000;

let database: TestDatabase;
let worker: CarriersWorker;

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  worker = new CarriersWorker(database.url);
});

afterAll(async () => {
  await worker?.owner.stop();
  await worker?.close();
  await database?.stop();
});

async function receive(receivedAtMs: number, count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => newId(receivedAtMs));
  await worker.db.query(
    `insert into carriers.orphan_receipt (id, carrier, message_id, source, state)
      select id, 'only', id::text, '+1', 'delivered' from unnest($1::uuid[]) as i(id)`,
    [ids],
  );
}

async function left(): Promise<number> {
  const { rows } = await worker.db.query<{ count: number }>(
    'select count(*)::int as count from carriers.orphan_receipt',
    [],
  );
  return rows[0]!.count;
}

it('keeps a receipt without a submission for seven days, and removes older ones step by step', async () => {
  const now = Date.now();
  await receive(now - KEEP_ORPHANS_MS - SLACK_MS, FORGET_BATCH + 5);
  await receive(now - KEEP_ORPHANS_MS + SLACK_MS, 3);
  await receive(now, 2);
  expect(await left()).toBe(FORGET_BATCH + 10);
  worker.owner.start();
  await eventually(async () => (await left()) === 5, { what: 'those that are older are gone' });
  const counted = `trunkline_orphan_receipts_forgotten_total ${FORGET_BATCH + 5}`;
  await eventually(async () => (await worker.metrics.render()).includes(counted), { what: counted });
  const message = 'receipts that matched no submission for seven days were removed';
  expect(worker.log.notes.filter((note) => note.startsWith(message))).toEqual([
    `${message} {"receipts":${FORGET_BATCH}}`,
    `${message} {"receipts":5}`,
  ]);
});
