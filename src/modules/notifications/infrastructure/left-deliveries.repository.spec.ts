import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';
import { newId } from '../../../shared/sid.js';
import { LeftDeliveriesRepository } from './left-deliveries.repository.js';
import type { NotificationsDatabase } from './notifications.storage.js';

const OWN_MS = 25_000;

let database: TestDatabase;
let db: NotificationsDatabase;

beforeAll(async () => {
  database = await startTestDatabase(['notifications']);
  db = new ModuleDatabase({ module: 'notifications', connectionString: database.url }) as NotificationsDatabase;
});

afterAll(async () => {
  await db?.close();
  await database?.stop();
});

it('makes due what a dead process had taken for its first attempt, and nothing else', async () => {
  const rows: [name: string, state: string, attempts: number, waitsFor: string | null, dueInS: number][] = [
    ['taken', 'pending', 0, null, 20],
    ['behind another', 'pending', 0, 'turn', 20],
    ['without room', 'pending', 0, 'room', 20],
    ['waits for its retry', 'pending', 1, null, 20],
    ['further ahead than anybody takes one', 'pending', 0, null, 600],
    ['delivered', 'delivered', 0, null, 20],
  ];
  for (const [name, state, attempts, waitsFor, dueInS] of rows) {
    await db.query(
      `insert into notifications.delivery (account_id, message_id, version, state, url, params, attempts, waits_for,
        next_attempt_at) values ($1, $2, 1, $3, $4, '{}', $5, $6, clock_timestamp() + $7 * interval '1 s')`,
      [newId(), newId(), state, name, attempts, waitsFor, dueInS],
    );
  }
  expect(await new LeftDeliveriesRepository(db).release(OWN_MS)).toBe(1);
  const due = await db.query<{ url: string }>(
    'select url from notifications.delivery where next_attempt_at <= clock_timestamp()',
    [],
  );
  expect(due.rows).toEqual([{ url: 'taken' }]);
});
