import { SendMessage } from '../../src/modules/messaging/application/send-message.js';
import { MessagingApi, messagingContract } from '../../src/modules/messaging/contract/messaging.api.js';
import { sidOf } from '../../src/shared/sid.js';
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
