import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import {
  type Call,
  type Customer,
  Endpoint,
  type NotificationsProcess,
  startNotifications,
} from '../../../test/support/notifications.js';
import { withClient } from '../../../test/support/with-client.js';
import { newId, parseSid, sidOf } from '../../shared/sid.js';
import { messageReceived } from '../messaging/contract/messaging.events.js';
import { ReplayDeliveries } from './application/replay-deliveries.js';

const FROM = '+15551234567';
const NUMBER = '+15005550006';
const TEXT = 'the text of the phone';
const TWIML = '<Response><Message>Thanks</Message></Response>';

interface Webhook {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly fallbackUrl?: string | null;
}

let database: TestDatabase;
let running: NotificationsProcess;
let customer: Customer;
let endpoint: Endpoint;

beforeAll(async () => {
  database = await startTestDatabase(['accounts', 'messaging', 'notifications']);
  running = await startNotifications(database);
});

beforeEach(async () => {
  customer = await running.openCustomer();
  endpoint = await Endpoint.start(customer.authToken);
  running.played.replied.length = 0;
});

afterEach(() => endpoint.stop());

afterAll(async () => {
  await running?.stop();
  await database?.stop();
});

/** A message comes in; returns its SID. */
async function comesIn({ url, method = 'POST', fallbackUrl = null }: Webhook, more: object = {}): Promise<string> {
  const id = newId();
  const messageSid = sidOf('SM', id);
  running.played.texts.set(messageSid, TEXT);
  const data = {
    messageSid,
    accountSid: customer.accountSid,
    from: FROM,
    to: NUMBER,
    serviceSid: null,
    callbackUrl: null,
    carrier: 'one',
    segments: 1,
    optOutType: null,
    isAnswered: false,
    webhook: { url, method, fallbackUrl, fallbackMethod: 'POST' },
    ...more,
  };
  const tenantId = parseSid('AC', customer.accountSid);
  await running.messaging.append([{ type: messageReceived.type, streamId: id, version: 1, tenantId, data }]);
  return messageSid;
}

/** How an endpoint answers, by path; null: not at all. */
type Answers = Readonly<Record<string, readonly [status: number, type: string, body: string] | null>>;

function answer(answers: Answers): void {
  endpoint.answer = (call, response) => {
    const found = answers[call.path.split('?')[0]!];
    if (!found) return void response.destroy();
    response.writeHead(found[0], found[1] ? { 'content-type': found[1] } : {}).end(found[2]);
  };
}

const paths = (sid: string) => endpoint.callsFor(sid).map((call) => call.path);

async function rowOf(sid: string) {
  const { rows } = await withClient(database.url, (client) =>
    client.query<{ state: string; attempts: number; url: string; last_error: string | null; params: string }>(
      'select state, attempts, url, last_error, params::text from notifications.delivery where message_id = $1',
      [parseSid('SM', sid)],
    ),
  );
  return rows[0]!;
}

async function ends(sid: string, state: string) {
  await eventually(async () => (await rowOf(sid))?.state === state, { what: `${sid} is ${state}` });
  return rowOf(sid);
}

describe('the webhook of an incoming message', () => {
  it('is asked with the text, signed as Twilio signs, and its TwiML is sent as replies', async () => {
    const twiml = '<Response><Message>One</Message><Message to="+15550009999" action="/done">Two</Message></Response>';
    answer({ '/in': [200, 'text/xml', twiml] });
    const sid = await comesIn({ url: `${endpoint.url}/in?a=b` }, { optOutType: 'HELP' });
    const { params, attempts } = await ends(sid, 'delivered');
    const [call, ...others] = endpoint.callsFor(sid);
    expect([others, attempts]).toEqual([[], 1]);
    expect(call).toMatchObject({ method: 'POST', path: '/in?a=b', isSigned: true } satisfies Partial<Call>);
    expect(call!.params).toMatchObject({
      Body: TEXT,
      From: FROM,
      To: NUMBER,
      SmsStatus: 'received',
      OptOutType: 'HELP',
    });
    const plain = { to: null, from: null, statusCallback: null };
    expect(running.played.replied).toEqual([
      {
        accountSid: customer.accountSid,
        messageSid: sid,
        traceparent: null,
        replies: [
          { ...plain, body: 'One' },
          { ...plain, body: 'Two', to: '+15550009999', statusCallback: `${endpoint.url}/done` },
        ],
      },
    ]);
    expect(params).not.toContain(TEXT);
  });

  it('is asked by GET where that is wished, with the form in the query', async () => {
    answer({ '/in': [200, 'text/plain', 'Thanks'] });
    const sid = await comesIn({ url: `${endpoint.url}/in?a=b`, method: 'GET' });
    await ends(sid, 'delivered');
    expect(endpoint.callsFor(sid)).toMatchObject([{ method: 'GET', isSigned: true, params: { a: 'b', Body: TEXT } }]);
    expect(running.played.replied).toMatchObject([{ replies: [{ body: 'Thanks' }] }]);
  });

  it('may answer nothing', async () => {
    answer({ '/in': [204, '', ''] });
    await ends(await comesIn({ url: `${endpoint.url}/in` }), 'delivered');
    expect(running.played.replied).toEqual([]);
  });

  it('goes on where its answer redirects to, as often as is bearable', async () => {
    answer({
      '/in': [200, 'text/xml', '<Response><Message>a</Message><Redirect>next</Redirect></Response>'],
      '/next': [200, 'text/xml', '<Response><Message>b</Message></Response>'],
      '/round': [200, 'text/xml', '<Response><Redirect/></Response>'],
    });
    const sid = await comesIn({ url: `${endpoint.url}/in` });
    await ends(sid, 'delivered');
    expect([paths(sid), running.played.replied[0]?.replies.map(({ body }) => body)]).toEqual([
      ['/in', '/next'],
      ['a', 'b'],
    ]);
    const round = await comesIn({ url: `${endpoint.url}/round` });
    expect(await ends(round, 'dead')).toMatchObject({ last_error: 'the answer redirects too often' });
    expect(paths(round)).toHaveLength(5);
  });

  it.each([
    ['an error', [500, '', ''] as const, '11200'],
    ['a refusal', [404, 'text/html', '<html/>'] as const, '11200'],
    ['no answer', null, '11205'],
    ['broken TwiML', [200, 'text/xml', '<Response><Message>'] as const, '12100'],
    ['something else', [200, 'application/json', '{}'] as const, '12300'],
  ])('has a fallback for %s', async (_, primary, code) => {
    answer({ '/in': primary, '/fallback': [200, 'text/xml', TWIML] });
    const sid = await comesIn({ url: `${endpoint.url}/in`, fallbackUrl: `${endpoint.url}/fallback` });
    expect(await ends(sid, 'delivered')).toMatchObject({ attempts: 1 });
    expect(endpoint.callsFor(sid).at(-1)).toMatchObject({
      path: '/fallback',
      isSigned: true,
      params: { Body: TEXT, ErrorCode: code, ErrorUrl: `${endpoint.url}/in` },
    });
    expect(paths(sid)).toEqual(['/in', '/fallback']);
    expect(running.played.replied).toMatchObject([{ messageSid: sid, replies: [{ body: 'Thanks' }] }]);
  });

  it('and its fallback are tried again in turn until one answers', async () => {
    let calls = 0;
    endpoint.answer = (_call, response) => {
      calls += 1;
      response.writeHead(calls < 5 ? 503 : 200, { 'content-type': 'text/xml' }).end(TWIML);
    };
    const sid = await comesIn({ url: `${endpoint.url}/in`, fallbackUrl: `${endpoint.url}/fallback` });
    expect(await ends(sid, 'delivered')).toMatchObject({ attempts: 3, url: `${endpoint.url}/in` });
    expect(paths(sid)).toEqual(['/in', '/fallback', '/in', '/fallback', '/in']);
    expect(endpoint.callsFor(sid)[2]!.params).not.toHaveProperty('ErrorCode');
  });

  it('that refuses as its fallback does is given up, and can be replayed', async () => {
    answer({ '/in': [403, '', ''], '/fallback': [410, '', ''] });
    const sid = await comesIn({ url: `${endpoint.url}/in`, fallbackUrl: `${endpoint.url}/fallback` });
    expect(await ends(sid, 'dead')).toMatchObject({ attempts: 1, last_error: 'HTTP 410', url: `${endpoint.url}/in` });
    answer({ '/in': [200, 'text/xml', TWIML] });
    await running.app.get(ReplayDeliveries).one(parseSid('AC', customer.accountSid)!, `${sid}-1`);
    await ends(sid, 'delivered');
    expect(paths(sid)).toEqual(['/in', '/fallback', '/in']);
  });

  it('is not asked about a message that is gone', async () => {
    const sid = sidOf('SM', newId());
    const row = await ends(await comesIn({ url: `${endpoint.url}/in` }, { messageSid: sid }), 'dead');
    expect(row).toMatchObject({ last_error: 'the message is gone' });
    expect(endpoint.calls).toEqual([]);
  });
});
