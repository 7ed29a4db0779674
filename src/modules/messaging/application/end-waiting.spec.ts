import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { type MessagingUnderTest, SENDER, startMessaging } from '../../../../test/support/messaging.js';
import { withClient } from '../../../../test/support/with-client.js';
import { newId, parseSid, sidOf } from '../../../shared/sid.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { AccountStatusesRepository } from '../infrastructure/account-statuses.repository.js';
import { DispatchRepository } from '../infrastructure/dispatch.repository.js';
import { EndingsRepository } from '../infrastructure/endings.repository.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';
import { ChangeMessage } from './change-message.js';
import { EndHaltedMessages } from './end-halted-messages.js';
import { EndWaiting } from './end-waiting.js';
import { FollowAccounts } from './follow-accounts.js';
import { SendMessage } from './send-message.js';
import { Sweeper } from './sweeper.js';

/** Many at once on a busy machine take longer than the budget of a request. */
const PATIENCE_MS = 30_000;

describe('waiting messages that are to end', () => {
  let database: TestDatabase;
  let messaging: MessagingUnderTest;
  let accountId: string;
  let version = 10;

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
  const query = <R extends object>(text: string, values: unknown[] = []) =>
    withClient(database.url, async (client) => (await client.query<R>(text, values)).rows);

  async function send(count = 1): Promise<string[]> {
    const request = { To: '+15555550100', From: SENDER, Body: 'hello' };
    const options = { idempotencyKey: null, traceparent: null, waitedMs: -PATIENCE_MS };
    const sent = await Promise.all(
      Array.from({ length: count }, () => get(SendMessage).send(messaging.principal, request, options)),
    );
    return sent.map(({ message }) => message.id).sort();
  }

  /** A carrier is about to be given these. */
  async function intend(ids: readonly string[]): Promise<string> {
    const intent = newId();
    await query(
      `insert into carriers.intent (id, epoch, keys, carriers, destinations, account_ids, retry_unknown, segments)
        select $1, 0, $2::uuid[], array_agg('nobody'::text), array_agg('+15555550100'::text), array_agg($3::uuid),
          array_agg(false), array_agg(1::smallint) from unnest($2::uuid[])`,
      [intent, ids, accountId],
    );
    return intent;
  }

  async function ends(ids: readonly string[]): Promise<string[]> {
    const rows = await query<{ end: string }>(
      `select concat_ws(' ', status, error_code) as end from messaging.message where id = any($1::uuid[]) order by id`,
      [ids],
    );
    return rows.map((row) => row.end);
  }

  async function notes(): Promise<number> {
    return (await query<{ count: number }>('select count(*)::int as count from messaging.ending'))[0]!.count;
  }

  /** What a crash has left is older than what is under way. */
  const age = () => query(`update messaging.ending set noted_at = noted_at - interval '1 minute'`);

  /** Accounts says something of the account. */
  async function say(what: 'suspended' | 'reactivated' | 'closed', atVersion = ++version): Promise<void> {
    const event = {
      type: `accounts.account-${what}.v1`,
      streamId: accountId,
      version: atVersion,
      tenantId: accountId,
      data: {},
    };
    await get(MessagingDatabase).transaction((tx) => get(FollowAccounts).apply(tx, [event as never]));
  }

  async function sweep(): Promise<void> {
    while (await get(EndHaltedMessages).step());
  }

  async function sendable(ids: readonly string[]): Promise<number> {
    const keys = ids.map((id) => ({ accountId, id }));
    const places = [{ queue: 'nobody', lane: 'normal' as const, accountId }];
    const [page] = await get(DispatchRepository).waiting(places, [10_000]);
    const found = await get(DispatchRepository).sendable(keys);
    expect(ids.filter((id) => page!.includes(id))).toHaveLength(found.size);
    return found.size;
  }

  it('are finished by themselves when a crash left them noted', async () => {
    const ids = await send(2);
    await get(EndingsRepository).note(ids.map((id) => ({ accountId, id, reason: 'canceled' })));
    expect(await get(EndWaiting).step()).toBe(false);
    expect(await ends(ids)).toEqual(['queued', 'queued']);
    await age();
    await get(EndWaiting).step();
    expect([await ends(ids), await notes()]).toEqual([['canceled', 'canceled'], 0]);
  });

  it('are finished by themselves when a crash left them withdrawn', async () => {
    const ids = await send(2);
    await get(EndingsRepository).note(ids.map((id) => ({ accountId, id, reason: 'halted' })));
    expect(await get(CarriersApi).withdraw(ids.map((id) => sidOf('SM', id)))).toEqual([true, true]);
    await age();
    await get(EndWaiting).step();
    expect([await ends(ids), await notes()]).toEqual([['failed 30002', 'failed 30002'], 0]);
  });

  it('end with the repetition of a cancel whose first attempt crashed', async () => {
    const [id] = await send();
    await get(EndingsRepository).note([{ accountId, id: id!, reason: 'canceled' }]);
    await get(CarriersApi).withdraw([sidOf('SM', id!)]);
    expect(await get(ChangeMessage).cancel(accountId, id!)).toMatchObject({ status: 'canceled' });
    expect(await notes()).toBe(0);
  });

  it('stay as they are while a carrier may have them, and no note of it stays', async () => {
    const ids = await send(2);
    await intend(ids.slice(0, 1));
    await get(EndWaiting).end(
      ids.map((id) => ({ accountId, id })),
      'canceled',
    );
    expect([await ends(ids), await notes()]).toEqual([['queued', 'canceled'], 0]);
  });

  it('end once, whoever wants to end them at the same time', async () => {
    const ids = await send(40);
    const keys = ids.map((id) => ({ accountId, id }));
    const canceling = ids.map((id) =>
      get(ChangeMessage)
        .cancel(accountId, id)
        .catch(() => null),
    );
    await Promise.all([
      get(EndWaiting).end(keys, 'halted'),
      get(EndWaiting).end(keys.toReversed(), 'halted'),
      ...canceling,
    ]);
    for (const end of await ends(ids)) expect(['failed 30002', 'canceled']).toContain(end);
    const [row] = await query<{ count: number }>(
      'select count(*)::int as count from messaging.event where stream_id = any($1::uuid[]) and version > 1',
      [ids],
    );
    expect([row!.count, await notes()]).toEqual([40, 0]);
  });

  it('end with 30002 when their account is suspended, however many wait, and none of them is dispatched', async () => {
    const ids = await send(700);
    await say('suspended');
    expect(await sendable(ids)).toBe(0);
    await sweep();
    expect(new Set(await ends(ids))).toEqual(new Set(['failed 30002']));
    expect(await notes()).toBe(0);
    await say('reactivated');
  });

  it('that carriers have go on, and end when they are given back', async () => {
    const ids = await send(3);
    const intent = await intend(ids.slice(0, 2));
    await say('suspended');
    await sweep();
    expect(await ends(ids)).toEqual(['queued', 'queued', 'failed 30002']);
    await query('update carriers.intent set returned = $2::uuid[] where id = $1', [intent, ids.slice(0, 1)]);
    await sweep();
    expect(await ends(ids)).toEqual(['failed 30002', 'queued', 'failed 30002']);
    await say('reactivated');
  });

  it('end also when they were accepted after the sweep had passed', async () => {
    await say('closed');
    await sweep();
    const ids = await send(3);
    expect(await sendable(ids)).toBe(0);
    await sweep();
    expect(await ends(ids)).toEqual(['failed 30002', 'failed 30002', 'failed 30002']);
    await say('reactivated');
  });

  it('are sent after all when the account is active again before they ended; a replay changes nothing', async () => {
    await say('suspended');
    const ids = await send(2);
    await say('reactivated');
    await say('suspended', version - 1);
    await sweep();
    expect(await ends(ids)).toEqual(['queued', 'queued']);
    expect(await sendable(ids)).toBe(2);
  });

  it('of others do not end with them', async () => {
    const ids = await send(2);
    await get(MessagingDatabase).transaction((tx) =>
      get(AccountStatusesRepository).record(tx, [{ accountId: newId(), version: 1, halted: true }]),
    );
    await sweep();
    expect(await ends(ids)).toEqual(['queued', 'queued']);
  });
});
