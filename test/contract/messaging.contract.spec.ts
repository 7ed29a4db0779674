import { SendMessage } from '../../src/modules/messaging/application/send-message.js';
import { MessagingApi, messagingContract } from '../../src/modules/messaging/contract/messaging.api.js';
import { newId, parseSid, sidOf } from '../../src/shared/sid.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { type MessagingUnderTest, PRICE_MICROS, SENDER, startMessaging } from '../support/messaging.js';
import { withClient } from '../support/with-client.js';
import { WAYS } from './over-the-wire.js';

const HOUR_MS = 3_600_000;

describe.each(WAYS)('MessagingApi %s', (_, reach) => {
  let database: TestDatabase;
  let messaging: MessagingUnderTest;
  let api: MessagingApi;
  const sids: string[] = [];

  beforeAll(async () => {
    database = await startTestDatabase();
    messaging = await startMessaging(database, false);
    api = reach<MessagingApi>(messaging.running.module.get(MessagingApi), messagingContract);
    const send = messaging.running.module.get(SendMessage);
    for (let index = 0; index < 3; index++) {
      const request = {
        To: '+15555550100',
        From: SENDER,
        Body: `n ${index}`,
        ...(index === 0 ? { StatusCallback: 'http://127.0.0.1:9/callback' } : {}),
      };
      const options = { idempotencyKey: null, traceparent: null, waitedMs: 0 };
      sids.push(sidOf('SM', (await send.send(messaging.principal, request, options)).message.id));
    }
  }, 60_000);

  afterAll(async () => {
    await messaging?.close();
    await database?.stop();
  });

  const whole = () => {
    const end = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
    return { from: new Date(end - 2 * HOUR_MS).toISOString(), to: new Date(end + HOUR_MS).toISOString() };
  };

  it('gives the text of what came in, and sends replies to it, each once', async () => {
    const [id, { accountSid }] = [newId(), messaging.principal];
    await withClient(database.url, (client) =>
      client.query(
        `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number, body,
            encoding, segments, retry_unknown, price_micros, currency, created_at, updated_at, sent_at, valid_until)
          values ($1, $2, 1, 'received', 'inbound', 'normal', '', '+15555550190', $3, 'Hello?', 'GSM-7', 1, false, 0, '', now(),
            now(), now(), now())`,
        [parseSid('AC', accountSid), id, SENDER],
      ),
    );
    const messageSid = sidOf('SM', id);
    const asked = [
      { accountSid, messageSid },
      { accountSid, messageSid: sids[0]! },
    ];
    expect(await api.receivedTexts(asked)).toEqual([{ messageSid, body: 'Hello?' }]);
    const reply = { to: null, from: null, body: 'Hello!', statusCallback: null };
    const replies = { accountSid, messageSid, traceparent: null, replies: [reply, { ...reply, to: 'nobody' }] };
    const first = await api.reply(replies);
    expect(first).toEqual([
      { messageId: expect.any(String), errorCode: null },
      { messageId: null, errorCode: 21211 },
    ]);
    expect(await api.reply(replies)).toEqual(first);
    await withClient(database.url, (client) =>
      client.query('delete from messaging.message where id = any($1::uuid[])', [[id, first[0]!.messageId]]),
    );
  });

  it('sums its messages up by what must be true of their charge', async () => {
    const lines = await api.digest({ ...whole(), bucketMs: HOUR_MS });
    const open = lines.reduce((sum, line) => sum + line.open.count, 0);
    const money = lines.reduce((sum, line) => sum + line.open.sumMicros, 0);
    expect([open, money]).toEqual([3, 3 * PRICE_MICROS]);
    for (const line of lines) {
      expect([line.charged.count, line.free.count, line.carried.count, line.callbacks.count]).toEqual([0, 0, 0, 0]);
    }
  });

  it('lists them in the order of their SIDs, from after one', async () => {
    const first = await api.listMessages({ ...whole(), after: null, limit: 2 });
    expect(first.map((message) => message.sid)).toEqual(sids.slice(0, 2));
    const rest = await api.listMessages({ ...whole(), after: first[1]!.sid, limit: 2 });
    expect(rest).toEqual([
      expect.objectContaining({
        sid: sids[2],
        accountSid: messaging.principal.accountSid,
        status: 'queued',
        charge: 'open',
        priceMicros: PRICE_MICROS,
        carried: false,
        callbackVersions: [],
      }),
    ]);
  });

  it('finds nothing wrong with their histories, and finds a status that no event explains', async () => {
    expect(await api.checkHistories(whole())).toEqual({ messages: 3, violations: [] });
    await withClient(database.url, (client) => client.query(`update messaging.message set status = 'delivered'`));
    const { violations } = await api.checkHistories(whole());
    expect(violations.map((violation) => violation.sid).sort()).toEqual([...sids].sort());
  });
});
