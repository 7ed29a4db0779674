import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { newId } from '../../../shared/sid.js';
import { MessagingDatabase } from './messaging.storage.js';

let database: TestDatabase;
let db: MessagingDatabase;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  db = new MessagingDatabase({ module: 'messaging', connectionString: database.url });
});

afterAll(async () => {
  await db?.close();
  await database?.stop();
});

it.each([
  ['queued', true],
  ['accepted', true],
  ['scheduled', true],
  ['sent', true],
  ['delivered', false],
  ['undelivered', false],
  ['failed', false],
  ['canceled', false],
  // The row of a saga that was given up, which nobody ever touches again.
  ['abandoned', false],
])('a message that is %s keeps its week from being dropped: %s', async (status, isLive) => {
  const id = newId();
  await db.query(
    `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number, body,
        encoding, segments, retry_unknown, price_micros, currency, created_at, updated_at, valid_until)
      values ($1, $2, 1, $3, 'outbound-api', 'normal', 'q', '', '', '', 'GSM-7', 1, false, 0, 'USD', now(), now(), now())`,
    [newId(), id, status],
  );
  const { rows } = await db.query(`select from messaging.message where id = $1 and (${db.retention.message.live})`, [
    id,
  ]);
  expect(rows.length === 1).toBe(isLive);
});
