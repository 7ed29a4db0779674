import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { type MessagingUnderTest, SENDER, startMessaging } from '../../../../test/support/messaging.js';
import { withClient } from '../../../../test/support/with-client.js';
import { newId, parseSid } from '../../../shared/sid.js';
import { ExpireMessages } from './expire-messages.js';
import { SendMessage } from './send-message.js';
import { Sweeper } from './sweeper.js';

/** Many at once on a busy machine take longer than the budget of a request. */
const PATIENCE_MS = 30_000;
const STEP = 500;

describe('messages whose validity has ended', () => {
  let database: TestDatabase;
  let messaging: MessagingUnderTest;
  let accountId: string;

  beforeAll(async () => {
    database = await startTestDatabase();
    messaging = await startMessaging(database, false);
    accountId = parseSid('AC', messaging.principal.accountSid)!;
    // Only what a test starts sweeps.
    await messaging.running.module.get(Sweeper).stop();
  }, 60_000);

  afterAll(async () => {
    await messaging?.close();
    await database?.stop();
  });

  const get = <T>(token: abstract new (...args: never[]) => T) => messaging.running.module.get<T>(token as never);
  const query = <R extends object>(text: string, values: unknown[]) =>
    withClient(database.url, async (client) => (await client.query<R>(text, values)).rows);

  async function overdue(count: number, secondsAgo: number): Promise<string[]> {
    const request = { To: '+15555550100', From: SENDER, Body: 'hello' };
    const options = { idempotencyKey: null, traceparent: null, waitedMs: -PATIENCE_MS };
    const sent = await Promise.all(
      Array.from({ length: count }, () => get(SendMessage).send(messaging.principal, request, options)),
    );
    const ids = sent.map(({ message }) => message.id);
    await query(
      `update messaging.message set valid_until = date_trunc('ms', clock_timestamp()) - $2 * interval '1 s'
        where id = any($1::uuid[])`,
      [ids, secondsAgo],
    );
    return ids;
  }

  async function waiting(ids: readonly string[]): Promise<number> {
    const [row] = await query<{ count: number }>(
      `select count(*)::int as count from messaging.message where id = any($1::uuid[]) and status = 'queued'`,
      [ids],
    );
    return row!.count;
  }

  it('become final behind as many as are still with a carrier', async () => {
    const held = await overdue(STEP, 3600);
    await query(
      `insert into carriers.intent (id, epoch, keys, carriers, destinations, account_ids, retry_unknown, segments)
        select $1, 0, $2::uuid[], array_agg('nobody'::text), array_agg('+15555550100'::text), array_agg($3::uuid), array_agg(false),
          array_agg(1::smallint) from unnest($2::uuid[])`,
      [newId(), held, accountId],
    );
    const behind = await overdue(3, 60);
    expect(await get(ExpireMessages).step()).toBe(true);
    expect(await get(ExpireMessages).step()).toBe(false);
    expect([await waiting(held), await waiting(behind)]).toEqual([STEP, 0]);
    await query('delete from carriers.intent', []);
    while (await get(ExpireMessages).step());
    expect(await waiting(held)).toBe(0);
  });
});
