import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { type MessagingUnderTest, SENDER, startMessaging } from '../../../../test/support/messaging.js';
import { withClient } from '../../../../test/support/with-client.js';
import { newId, parseSid } from '../../../shared/sid.js';
import { ChangeMessage } from './change-message.js';
import { GiveFeedback } from './give-feedback.js';
import { SendMessage } from './send-message.js';

describe('what a customer changes of a message', () => {
  let database: TestDatabase;
  let messaging: MessagingUnderTest;
  let accountId: string;

  beforeAll(async () => {
    database = await startTestDatabase();
    messaging = await startMessaging(database, false);
    accountId = parseSid('AC', messaging.principal.accountSid)!;
  }, 60_000);

  afterAll(async () => {
    await messaging?.close();
    await database?.stop();
  });

  const changes = () => messaging.running.module.get(ChangeMessage);
  const query = <R extends object>(text: string, values: unknown[]) =>
    withClient(database.url, async (client) => (await client.query<R>(text, values)).rows);

  async function send(): Promise<string> {
    const request = { To: '+15555550100', From: SENDER, Body: 'hello' };
    const options = { idempotencyKey: null, traceparent: null, waitedMs: 0 };
    const { message } = await messaging.running.module.get(SendMessage).send(messaging.principal, request, options);
    return message.id;
  }

  it('takes a message back while it waits, and once', async () => {
    const id = await send();
    expect(await changes().cancel(accountId, id)).toMatchObject({ status: 'canceled', version: 2 });
    expect(await changes().cancel(accountId, id)).toMatchObject({ status: 'canceled', version: 2 });
  });

  it('takes no message back that a carrier has been given, answered or not', async () => {
    const id = await send();
    await query(
      `insert into carriers.intent (id, epoch, keys, carriers, destinations, account_ids, retry_unknown, segments)
        values ($1, 0, array[$2::uuid], '{nobody}', '{+15555550100}', array[$3::uuid], '{false}', '{1}')`,
      [newId(), id, accountId],
    );
    await expect(changes().cancel(accountId, id)).rejects.toMatchObject({ failure: 'message_not_cancelable' });
    await query('update carriers.intent set returned = array[$1::uuid] where keys = array[$1::uuid]', [id]);
    expect(await changes().cancel(accountId, id)).toMatchObject({ status: 'canceled' });
  });

  it('erases the text of a final message once, and of no other', async () => {
    const id = await send();
    await expect(changes().redact(accountId, id)).rejects.toMatchObject({ failure: 'message_not_final' });
    await changes().cancel(accountId, id);
    expect(await changes().redact(accountId, id)).toMatchObject({ body: '', version: 3 });
    expect(await changes().redact(accountId, id)).toMatchObject({ body: '', version: 3 });
  });

  it('deletes a final message: it is gone, its tombstone has no text', async () => {
    const id = await send();
    await changes().cancel(accountId, id);
    await changes().delete(accountId, id);
    await expect(changes().delete(accountId, id)).rejects.toMatchObject({ failure: 'not_found' });
    const [row] = await query<{ body: string; status: string }>(
      'select body, status from messaging.message where id = $1',
      [id],
    );
    expect(row).toEqual({ body: '', status: 'canceled' });
  });

  it('keeps what is said became of a message, the last word of it, as long as there is the message', async () => {
    const feedback = () => messaging.running.module.get(GiveFeedback);
    const id = await send();
    const first = await feedback().give(accountId, id, 'unconfirmed');
    const last = await feedback().give(accountId, id, 'confirmed');
    expect(last).toMatchObject({ messageId: id, outcome: 'confirmed', createdAt: first.createdAt });
    expect(last.updatedAt.getTime()).toBeGreaterThanOrEqual(first.updatedAt.getTime());
    await expect(feedback().give(newId(), id, 'confirmed')).rejects.toMatchObject({ failure: 'not_found' });
    expect(await changes().cancel(accountId, id)).toMatchObject({ status: 'canceled', version: 2 });
    await changes().delete(accountId, id);
    await expect(feedback().give(accountId, id, 'confirmed')).rejects.toMatchObject({ failure: 'not_found' });
    await query(`update messaging.message set direction = 'inbound', deleted_at = null where id = $1`, [id]);
    await expect(feedback().give(accountId, id, 'confirmed')).rejects.toMatchObject({ failure: 'conflict' });
  });

  it("finds nothing of another account's", async () => {
    const id = await send();
    await expect(changes().cancel(newId(), id)).rejects.toMatchObject({ failure: 'not_found' });
  });
});
