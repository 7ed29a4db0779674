import { CarriersWorker } from '../../../../test/support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import type { CarrierReceipt } from '../domain/carrier-connection.js';
import { ReceiptInboxRepository } from '../infrastructure/receipt-inbox.repository.js';

let database: TestDatabase;
/** A process that does not own the binds. */
let worker: CarriersWorker;

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  worker = new CarriersWorker(database.url);
});

afterAll(async () => {
  await worker?.close();
  await database?.stop();
});

const receipts = (count: number): CarrierReceipt[] =>
  Array.from({ length: count }, (_, index) => ({
    carrier: 'web',
    messageId: `id-${index}`,
    source: '+15555550100',
    state: 'delivered',
    errorCode: null,
    doneDate: null,
  }));

it('keeps what came in one request in rows of a bounded size, in its order', async () => {
  const given = receipts(1_200);
  await worker.receipts.handIn(given);
  const inbox = new ReceiptInboxRepository(worker.db);
  const rows = await inbox.oldest(10);
  expect(rows.map((row) => row.receipts.length)).toEqual([500, 500, 200]);
  expect(rows.flatMap((row) => row.receipts)).toEqual(given);
  await inbox.remove(rows.map(({ id }) => id));
});

it('lets the carrier send again what is too much to hold, and takes it when there is room', async () => {
  const requests = Array.from({ length: 30 }, () => worker.receipts.handIn(receipts(1_000)));
  const results = await Promise.allSettled(requests);
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused).toHaveLength(10);
  for (const { reason } of refused) expect(reason).toMatchObject({ failure: 'unavailable' });
  await worker.receipts.handIn(receipts(1_000));
});
