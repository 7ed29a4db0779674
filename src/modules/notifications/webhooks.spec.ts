import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import {
  answerSometime,
  type Customer,
  Endpoint,
  MESSAGE_TRACEPARENT,
  type NotificationsProcess,
  startNotifications,
} from '../../../test/support/notifications.js';
import { spanIdOf } from '../../shared/traceparent.js';
import {
  messageAccepted,
  messageCanceled,
  messageDelivered,
  messageFailed,
  messageRedacted,
  messageSent,
  messageUndelivered,
} from '../messaging/contract/messaging.events.js';

let database: TestDatabase;
let running: NotificationsProcess;
let customer: Customer;
let endpoint: Endpoint;
const closers: (() => Promise<unknown>)[] = [];

const SENT = { definition: messageSent, data: { carrier: 'one' } };
const DELIVERED = { definition: messageDelivered, data: { carrier: 'one', doneDate: '2611201314' } };
const UNDELIVERED = { definition: messageUndelivered, data: { carrier: 'one', errorCode: 30003, doneDate: null } };
const FAILED = { definition: messageFailed, data: { errorCode: 30008 } };

beforeAll(async () => {
  database = await startTestDatabase(['accounts', 'messaging', 'notifications']);
  running = await startNotifications(database);
  customer = await running.openCustomer();
});

beforeEach(async () => {
  endpoint = await Endpoint.start(customer.authToken);
  closers.push(() => endpoint.stop());
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

afterAll(async () => {
  await running?.stop();
  await database?.stop();
});

const happen = (
  changes: Parameters<NotificationsProcess['messaging']['change']>[2],
  url = `${endpoint.url}/hook?a=b`,
) => running.messaging.change(customer, url, changes);

describe('status callbacks', () => {
  it('are form posts that the official SDK takes for Twilio’s', async () => {
    const sid = await happen([SENT, DELIVERED]);
    await eventually(() => endpoint.callsFor(sid).length === 2);
    const [sent, delivered] = endpoint.callsFor(sid);
    expect(sent!.params).toEqual({
      AccountSid: customer.accountSid,
      ApiVersion: '2010-04-01',
      From: '+15005550006',
      To: '+15551234567',
      MessageSid: sid,
      SmsSid: sid,
      MessageStatus: 'sent',
      SmsStatus: 'sent',
    });
    expect(delivered!.params).toMatchObject({ MessageStatus: 'delivered', RawDlrDoneDate: '2611201314' });
    expect(sent!.path).toBe('/hook?a=b');
    expect(sent!.headers['content-type']).toMatch('application/x-www-form-urlencoded');
    expect(sent!.headers['i-twilio-idempotency-token']).toBe(`${sid}-2`);
    const [first, second] = [sent!, delivered!].map(({ headers }) => headers.traceparent as string);
    for (const each of [first, second]) expect(each).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect([...new Set([first, second, MESSAGE_TRACEPARENT].map((each) => spanIdOf(each!)))]).toHaveLength(3);
    expect([sent!.isSigned, delivered!.isSigned]).toEqual([true, true]);
  });

  it('tell every change but the initial status and what is no change', async () => {
    const accepted = {
      definition: messageAccepted,
      data: { status: 'queued', queue: 'q', lane: 'normal', segments: 1 },
    };
    const undelivered = await happen([accepted, SENT, UNDELIVERED, { definition: messageRedacted }]);
    const failed = await happen([accepted, FAILED]);
    const canceled = await happen([accepted, { definition: messageCanceled }]);
    await running.messaging.change(customer, null, [accepted, SENT]);
    await eventually(() => endpoint.calls.length >= 4);
    expect(endpoint.statusesOf(undelivered)).toEqual(['sent', 'undelivered']);
    expect(endpoint.callsFor(undelivered)[1]!.params).toMatchObject({
      ErrorCode: '30003',
      RawDlrDoneDate: expect.stringMatching(/^\d{10}$/),
    });
    expect(endpoint.callsFor(failed).map(({ params }) => [params.MessageStatus, params.ErrorCode])).toEqual([
      ['failed', '30008'],
    ]);
    expect(endpoint.statusesOf(canceled)).toEqual(['canceled']);
    expect(endpoint.calls).toHaveLength(4);
  });

  it('carry the messaging service', async () => {
    const serviceSid = 'MG00000000000000000000000000000001';
    const sid = await happen([{ definition: messageSent, data: { carrier: 'one', serviceSid } }]);
    await eventually(() => endpoint.callsFor(sid).length === 1);
    expect(endpoint.callsFor(sid)[0]!.params.MessagingServiceSid).toBe(serviceSid);
  });

  it('come in order, message by message, and once', async () => {
    endpoint.answer = answerSometime;
    const sids = await Promise.all(Array.from({ length: 200 }, () => happen([SENT, DELIVERED])));
    await eventually(() => endpoint.calls.length >= 400);
    for (const sid of sids) expect(endpoint.statusesOf(sid)).toEqual(['sent', 'delivered']);
    expect(endpoint.calls.every((call) => call.isSigned)).toBe(true);
  });
});
