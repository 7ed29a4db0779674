import request from 'supertest';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import {
  type Customer,
  Endpoint,
  type NotificationsProcess,
  startNotifications,
} from '../../../test/support/notifications.js';
import { withClient } from '../../../test/support/with-client.js';
import { newId, parseSid, sidOf } from '../../shared/sid.js';
import { messageDelivered, messageSent } from '../messaging/contract/messaging.events.js';

/** Six waits as in the field, but short. */
const WAITS_MS = [40, 60, 80, 100, 120, 140];
const SENT = { definition: messageSent, data: { carrier: 'one' } };
const DELIVERED = { definition: messageDelivered, data: { carrier: 'one', doneDate: '2611201314' } };

interface Row {
  state: string;
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  wait_ms: number;
}

let database: TestDatabase;
let running: NotificationsProcess;
let customer: Customer;
let endpoint: Endpoint;

beforeAll(async () => {
  database = await startTestDatabase(['accounts', 'messaging', 'notifications']);
  running = await startNotifications(database, { waitsMs: WAITS_MS });
  customer = await running.openCustomer();
});

beforeEach(async () => {
  endpoint = await Endpoint.start(customer.authToken);
});

afterEach(() => endpoint.stop());

afterAll(async () => {
  await running?.stop();
  await database?.stop();
});

/** Answers the calls one after the other with these statuses, and 204 from then on. */
function answerWith(...statuses: number[]): void {
  endpoint.answer = (_call, response) => response.writeHead(statuses.shift() ?? 204).end();
}

const happen = (url = `${endpoint.url}/hook`, changes = [SENT, DELIVERED]) =>
  running.messaging.change(customer, url, changes);

async function rowOf(messageSid: string, version: number): Promise<Row | undefined> {
  return withClient(database.url, async (client) => {
    const { rows } = await client.query<Row>(
      `select state, attempts, last_status, last_error,
          (extract(epoch from next_attempt_at - updated_at) * 1000)::float8 as wait_ms
        from notifications.delivery where message_id = $1 and version = $2`,
      [parseSid('SM', messageSid), version],
    );
    return rows[0];
  });
}

async function deathsOf(messageSid: string): Promise<unknown[]> {
  return withClient(database.url, async (client) => {
    const { rows } = await client.query<{ data: unknown }>(
      `select data from notifications.event where type = 'notifications.delivery-dead.v1' and data->>'messageSid' = $1`,
      [messageSid],
    );
    return rows.map((row) => row.data);
  });
}

const isState = (sid: string, version: number, state: string) => async () =>
  (await rowOf(sid, version))?.state === state;

describe('a callback that fails', () => {
  it('is tried again, and what comes behind it waits', async () => {
    answerWith(500, 503);
    const sid = await happen();
    await eventually(isState(sid, 3, 'delivered'));
    expect(endpoint.statusesOf(sid)).toEqual(['sent', 'sent', 'sent', 'delivered']);
    expect(await rowOf(sid, 2)).toMatchObject({ state: 'delivered', attempts: 3, last_status: 204, last_error: null });
    const tokens = endpoint.callsFor(sid).map((call) => call.headers['i-twilio-idempotency-token']);
    expect(tokens).toEqual([`${sid}-2`, `${sid}-2`, `${sid}-2`, `${sid}-3`]);
  });

  it('is tried again whatever the kind of failure', async () => {
    const answers = [() => endpoint.hangUp(), 408, 429, 302];
    endpoint.answer = (_call, response) => {
      const answer = answers.shift();
      if (typeof answer === 'function') answer();
      else response.writeHead(answer ?? 200, { location: `${endpoint.url}/elsewhere` }).end();
    };
    const sid = await happen(`${endpoint.url}/hook`, [SENT]);
    await eventually(isState(sid, 2, 'delivered'));
    expect(endpoint.callsFor(sid).map((call) => call.path)).toEqual(Array(5).fill('/hook'));
  });

  it('waits as long as the endpoint asks for', async () => {
    let calls = 0;
    endpoint.answer = (_call, response) =>
      calls++ === 0 ? response.writeHead(503, { 'retry-after': '2' }).end() : response.writeHead(200).end();
    const sid = await happen(undefined, [SENT]);
    const row = await eventually(async () => {
      const found = await rowOf(sid, 2);
      return found && found.attempts === 1 && found;
    });
    expect(row.wait_ms).toBeGreaterThanOrEqual(1_999);
    await eventually(isState(sid, 2, 'delivered'));
    expect(endpoint.calls).toHaveLength(2);
  });

  it('is dead after the last wait, which is told, and what comes behind it goes on', async () => {
    endpoint.answer = (call, response) => response.writeHead(call.params.MessageStatus === 'sent' ? 500 : 200).end();
    const sid = await happen();
    await eventually(isState(sid, 3, 'delivered'));
    expect(endpoint.statusesOf(sid)).toEqual([...Array(7).fill('sent'), 'delivered']);
    expect(await rowOf(sid, 2)).toMatchObject({ state: 'dead', attempts: 7, last_status: 500, last_error: 'HTTP 500' });
    expect(await deathsOf(sid)).toEqual([
      { deliveryId: `${sid}-2`, accountSid: customer.accountSid, messageSid: sid, reason: 'HTTP 500' },
    ]);
  });

  it.each([400, 401, 404, 410, 451])('is dead at once when the answer is %i', async (status) => {
    answerWith(status);
    const sid = await happen();
    await eventually(isState(sid, 3, 'delivered'));
    expect(endpoint.statusesOf(sid)).toEqual(['sent', 'delivered']);
    expect(await rowOf(sid, 2)).toMatchObject({ state: 'dead', attempts: 1, last_error: `HTTP ${status}` });
    expect(await deathsOf(sid)).toHaveLength(1);
  });

  it.each([
    ['http://10.0.0.1/', 'blocked_address'],
    ['http://[fd00::1]/', 'blocked_address'],
    ['ftp://example.com/', 'unsupported_scheme'],
    ['no url', 'invalid'],
  ])('is dead at once when %s can never be reached', async (url, reason) => {
    const sid = await happen(url, [SENT]);
    await eventually(isState(sid, 2, 'dead'));
    expect(await rowOf(sid, 2)).toMatchObject({ attempts: 1, last_status: null, last_error: reason });
  });

  it('is dead at once when nobody can sign it', async () => {
    const nobody = { accountSid: sidOf('AC', newId()), authToken: '' };
    const sid = await running.messaging.change(nobody, endpoint.url, [SENT]);
    await eventually(isState(sid, 2, 'dead'));
    expect(await rowOf(sid, 2)).toMatchObject({ last_error: 'the account is gone' });
    expect(endpoint.calls).toHaveLength(0);
  });

  it('that died is attempted from the beginning when its customer says so', async () => {
    answerWith(410);
    const sid = await happen(undefined, [SENT]);
    await eventually(isState(sid, 2, 'dead'));
    answerWith(500, 500);
    await request(running.app.getHttpServer())
      .post(`/v1/webhook-deliveries/${sid}-2/replay`)
      .auth(customer.accountSid, customer.authToken)
      .expect(202);
    await eventually(isState(sid, 2, 'delivered'));
    expect(await rowOf(sid, 2)).toMatchObject({ attempts: 3, last_status: 204 });
    expect(endpoint.callsFor(sid)).toHaveLength(4);
    expect(await deathsOf(sid)).toHaveLength(1);
  });
});
