import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { eventually } from '../../../../test/support/eventually.js';
import { type MessagingUnderTest, PRICE_MICROS, SENDER, startMessaging } from '../../../../test/support/messaging.js';
import { withClient } from '../../../../test/support/with-client.js';
import { DatabaseClock } from '../../../platform/postgres/database-clock.js';
import { Failure, isFailure } from '../../../shared/failure.js';
import { newId, parseSid, sidOf } from '../../../shared/sid.js';
import { BillingApi } from '../../billing/contract/billing.api.js';
import { IdempotencyRepository } from '../infrastructure/idempotency.repository.js';
import { MessageViews } from '../infrastructure/message-views.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { SweepRepository } from '../infrastructure/sweep.repository.js';
import { GiveUpSagas } from './give-up-sagas.js';
import { SendMessage } from './send-message.js';
import { SendSaga } from './send-saga.js';
import { SweepReservations } from './sweep-reservations.js';
import { ValidateSend } from './validate-send.js';

const REQUEST = { To: '+15555550100', From: SENDER, Body: 'hello' };

describe('the send saga', () => {
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

  const get = <T>(token: abstract new (...args: never[]) => T) => messaging.running.module.get<T>(token as never);
  const send = (request: Record<string, string> = REQUEST, key: string | null = null, waitedMs = 0) =>
    get(SendMessage).send(messaging.principal, request, { idempotencyKey: key, traceparent: null, waitedMs });
  const row = async <R>(text: string, values: unknown[]) =>
    (await withClient(database.url, (client) => client.query(text, values))).rows[0] as R;
  const phases = async (id: string) =>
    (
      await withClient(database.url, (client) =>
        client.query('select kind from billing.entry where key = $1 order by phase', [id]),
      )
    ).rows.map((entry) => entry.kind as string);
  const reserve = (id: string) =>
    get(BillingApi).reserve([
      { key: sidOf('SM', id), accountSid: messaging.principal.accountSid, to: '+15555550100', segments: 1 },
    ]);

  it('reserves and writes, each once, for many at a time', async () => {
    // Many at once on a busy machine take longer than the budget of a request.
    const sent = await Promise.all(
      Array.from({ length: 300 }, (_, index) => send({ ...REQUEST, Body: `n ${index}` }, null, -30_000)),
    );
    const ids = sent.map(({ message }) => message.id);
    const { count, money } = await row<{ count: string; money: string }>(
      `select count(*) as count, sum(amount_micros) as money from billing.entry where key = any($1::uuid[]) and phase = 0`,
      [ids],
    );
    expect([Number(count), Number(money)]).toEqual([300, 300 * PRICE_MICROS]);
    const written = await row<{ messages: string; events: string }>(
      `select (select count(*) from messaging.message where id = any($1::uuid[])) as messages,
        (select count(*) from messaging.event where stream_id = any($1::uuid[])) as events`,
      [ids],
    );
    expect(written).toEqual({ messages: '300', events: '300' });
  });

  it('refuses what is over the day’s quota or the bound on what is open, and says when to come again', async () => {
    const set = (columns: string) =>
      row(`update billing.ledger_account set ${columns} where id = $1 returning id`, [accountId]);
    await set('quota_limit = 0');
    const refused = await send(REQUEST).catch((error: unknown) => error);
    expect(refused).toMatchObject({ failure: 'too_many_requests', code: 20429 });
    const { retryAfterSeconds = 0 } = (refused as Failure).options;
    expect(retryAfterSeconds).toBeGreaterThan(0);
    expect(retryAfterSeconds).toBeLessThanOrEqual(24 * 3600);
    await set('quota_limit = null, outstanding_limit = 0');
    await expect(send(REQUEST)).rejects.toMatchObject({ failure: 'queue_full', code: 21611 });
    await set('outstanding_limit = 1000000');
    expect(await send(REQUEST)).toMatchObject({ replayed: false });
  });

  it('gives a place of the day back when the message was never written', async () => {
    const used = () => row('select quota_used as used from billing.ledger_account where id = $1', [accountId]);
    const before = await used();
    const id = newId();
    await reserve(id);
    await get(GiveUpSagas).giveUp([{ accountId, id }]);
    expect(await used()).toEqual(before);
  });

  it('refuses an append that would begin after the budget, and gives the money back', async () => {
    const reserved = () =>
      row('select reserved_micros as reserved from billing.ledger_account where id = $1', [accountId]);
    const before = await reserved();
    await expect(send(REQUEST, null, 60_000)).rejects.toMatchObject({ failure: 'unavailable' });
    const late = { ...newMessage(newId()), deadlineMs: Date.now() - 1 };
    await reserve(late.message.id);
    expect((await get(MessagesRepository).append([late])).createdAt.size).toBe(0);
    await get(GiveUpSagas).giveUp([late.message]);
    expect(await reserved()).toEqual(before);
  });

  it('writes nothing under an id that was given up, whenever the append comes', async () => {
    const id = newId();
    await reserve(id);
    const gone = await get(GiveUpSagas).giveUp([{ accountId, id }]);
    expect([...gone]).toEqual([id]);
    expect(await phases(id)).toEqual(['pending', 'void']);
    expect(await reserve(id)).toEqual([{ outcome: 'already_resolved' }]);
    const late = await get(MessagesRepository).append([newMessage(id)]);
    expect(late.createdAt.size).toBe(0);
  });

  it('keeps the charge of a saga that wrote its message before it was given up', async () => {
    const id = newId();
    await reserve(id);
    expect((await get(MessagesRepository).append([newMessage(id)])).createdAt.size).toBe(1);
    expect((await get(GiveUpSagas).giveUp([{ accountId, id }])).size).toBe(0);
    expect(await phases(id)).toEqual(['pending']);
  });

  it('decides a race between the append and giving up one way or the other, never both', async () => {
    for (let round = 0; round < 25; round++) {
      const id = newId();
      await reserve(id);
      const [{ createdAt: written }, gone] = await Promise.all([
        get(MessagesRepository).append([newMessage(id)]),
        get(GiveUpSagas).giveUp([{ accountId, id }]),
      ]);
      expect([written.size, gone.size]).toEqual(written.size === 1 ? [1, 0] : [0, 1]);
      expect(await phases(id)).toEqual(written.size === 1 ? ['pending'] : ['pending', 'void']);
    }
  });

  it('sweeps up what a crash between the reservation and the message left behind', async () => {
    const id = newId(Date.now() - 30_000);
    await reserve(id);
    // As a process that has just started: it looks back further than one that has been running.
    const sweep = new SweepReservations(
      get(BillingApi),
      get(MessagesRepository),
      get(SweepRepository),
      get(GiveUpSagas),
      get(DatabaseClock),
    );
    await eventually(async () => {
      await sweep.step();
      return (await phases(id)).length === 2;
    });
    expect(await phases(id)).toEqual(['pending', 'void']);
    const written = await row<{ pending: string }>(
      `select count(*) as pending from messaging.message m where m.status <> 'abandoned' and exists (
        select from billing.entry e where e.key = m.id and e.kind = 'void')`,
      [],
    );
    expect(written.pending).toBe('0');
  });

  it('sweeps up at once what a process left behind that is known to be dead', async () => {
    const [left, begun] = [newId(Date.now() - 1_000), newId(Date.now() + 5_000)];
    await reserve(left);
    await reserve(begun);
    const sweep = new SweepReservations(
      get(BillingApi),
      get(MessagesRepository),
      get(SweepRepository),
      get(GiveUpSagas),
      get(DatabaseClock),
    );
    sweep.succeed();
    for (let isMore = true; isMore; ) isMore = await sweep.step();
    expect(await phases(left)).toEqual(['pending', 'void']);
    expect(await phases(begun)).toEqual(['pending']);
    // A statement of the dead process that comes to its end only now is found as well.
    const late = newId(Date.now() - 1_000);
    await reserve(late);
    for (let isMore = true; isMore; ) isMore = await sweep.step();
    expect(await phases(late)).toEqual(['pending', 'void']);
  });

  describe('with an Idempotency-Key', () => {
    it('makes one message of concurrent requests, and replays it later', async () => {
      const answers = await Promise.allSettled(Array.from({ length: 20 }, () => send(REQUEST, 'key-concurrent')));
      const sids = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.message.id : []));
      expect(new Set(sids).size).toBe(1);
      for (const answer of answers) {
        if (answer.status === 'rejected') expect(isFailure(answer.reason, 'idempotency_in_progress')).toBe(true);
      }
      const again = await send(REQUEST, 'key-concurrent');
      expect(again).toMatchObject({ replayed: true, message: { id: sids[0], status: 'queued' } });
    });

    it('refuses another request under the same key', async () => {
      await send(REQUEST, 'key-mismatch');
      await expect(send({ ...REQUEST, Body: 'other' }, 'key-mismatch')).rejects.toMatchObject({
        failure: 'idempotency_mismatch',
      });
    });

    it('gives the answer again when what was asked for has become impossible', async () => {
      const { message } = await send(REQUEST, 'key-impossible');
      const later = withoutRoutes();
      const options = { idempotencyKey: 'key-impossible', traceparent: null, waitedMs: 0 };
      expect(await later.send(messaging.principal, REQUEST, options)).toMatchObject({
        replayed: true,
        message: { id: message.id, body: REQUEST.Body },
      });
      await expect(later.send(messaging.principal, { ...REQUEST, Body: 'other' }, options)).rejects.toMatchObject({
        failure: 'idempotency_mismatch',
      });
      await expect(
        later.send(messaging.principal, REQUEST, { ...options, idempotencyKey: 'key-never-used' }),
      ).rejects.toMatchObject({ failure: 'no_route' });
    });

    it('frees the key of a request that was refused', async () => {
      await expect(send({ ...REQUEST, From: '+15005550111' }, 'key-refused')).rejects.toMatchObject({
        failure: 'from_not_usable',
      });
      expect(await send(REQUEST, 'key-refused')).toMatchObject({ replayed: false });
    });

    it.each([
      ['after the key was taken', async () => undefined],
      ['after the reservation', (id: string) => reserve(id)],
    ])('starts afresh when the first request died %s', async (_, reached) => {
      const key = `key-died-${_}`;
      const id = newId();
      const { hash } = await hashOf(key);
      await get(IdempotencyRepository).claim(accountId, key, hash, id, 0);
      await reached(id);
      const { message, replayed } = await send(REQUEST, key);
      expect(replayed).toBe(false);
      expect(message.id).not.toBe(id);
      const kinds = await phases(id);
      expect(kinds).toEqual(kinds.length === 0 ? [] : ['pending', 'void']);
      expect(await phases(message.id)).toEqual(['pending']);
    });

    it('finds the message when the first request died after it was written', async () => {
      const key = 'key-died-written';
      const id = newId();
      const { hash } = await hashOf(key);
      await get(IdempotencyRepository).claim(accountId, key, hash, id, 0);
      await reserve(id);
      await get(MessagesRepository).append([newMessage(id)]);
      const { message, replayed } = await send(REQUEST, key);
      expect([message.id, replayed]).toEqual([id, true]);
    });

    /** As after the operator has removed the route that every request takes. */
    function withoutRoutes(): SendMessage {
      class NoRoute extends ValidateSend {
        override validate(): Promise<never> {
          return Promise.reject(new Failure('no_route', { field: 'To' }));
        }
      }
      const validate: ValidateSend = Object.create(NoRoute.prototype);
      const parts = [get(SendSaga), get(GiveUpSagas), get(IdempotencyRepository), get(MessageViews)] as const;
      return new SendMessage(validate, ...parts, get(DatabaseClock));
    }

    /** The hash that the product keeps of REQUEST, taken from a request that it answered. */
    async function hashOf(key: string): Promise<{ hash: Buffer }> {
      await send(REQUEST, `${key}-model`);
      return row<{ hash: Buffer }>(
        'select request_hash as hash from messaging.idempotency_key where account_id = $1 and key = $2',
        [accountId, `${key}-model`],
      );
    }
  });

  function newMessage(id: string) {
    const message = {
      id,
      accountId,
      version: 1,
      status: 'queued' as const,
      lane: 'normal' as const,
      queue: 'nobody',
      from: SENDER,
      to: '+15555550100',
      segments: 1,
      serviceId: null,
      callbackUrl: null,
      carrier: null,
      receipts: 0n,
      errorCode: null,
      sentAt: null,
      validUntil: new Date(Date.now() + 60_000),
      traceparent: null,
    };
    return {
      message,
      body: 'hello',
      encoding: 'GSM-7' as const,
      retryUnknown: false,
      priceMicros: PRICE_MICROS,
      currency: 'USD',
      idempotencyKey: null,
      deadlineMs: Date.now() + 60_000,
      event: { type: 'messaging.message-accepted.v1', streamId: id, version: 1, tenantId: accountId, data: {} },
    };
  }
});
