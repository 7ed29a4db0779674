import { basic, call, FORM, MESSAGES, read, readMessage, send } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { DEMO_SID, DEMO_TOKEN, makeDataDir, type Product, startProduct } from '../support/product.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const TEST_MS = 120_000;
const PATIENT = { timeoutMs: 60_000 };
const TOO_MANY_HOPS = 20908;

/** Two whole instances: A sends to +1555 through B, and B sends +1555777 back through A. */
let dirs: Awaited<ReturnType<typeof makeDataDir>>[];
let a: Product;
let b: Product;
let receiver: WebhookReceiver;

beforeAll(async () => {
  dirs = [await makeDataDir(), await makeDataDir()];
  [a, b] = (await Promise.all(dirs.map(({ path }) => startProduct({ dataDir: path })))) as [Product, Product];
  receiver = await WebhookReceiver.start(DEMO_TOKEN);
  await addUpstream(a, 'upstream', b, DEMO_TOKEN);
  await addUpstream(b, 'back', a, DEMO_TOKEN);
  await a.operator('POST', 'routes', { prefix: '+1555', carrier: 'upstream' });
  await b.operator('POST', 'routes', { prefix: '+1555777', carrier: 'back' });
}, TEST_MS);

afterAll(async () => {
  await Promise.all([a?.stop(), b?.stop(), receiver?.stop()]);
  for (const dir of dirs ?? []) await dir.remove();
}, TEST_MS);

function addUpstream(at: Product, name: string, to: Product, token: string): Promise<unknown> {
  return at.operator('POST', 'carriers', {
    name,
    type: 'http',
    preset: 'twilio',
    base_url: to.url,
    account_sid: DEMO_SID,
    auth_token: token,
  });
}

interface Listed {
  readonly to: string;
  readonly status: string;
  readonly error_code: number | null;
}

async function messagesTo(at: Product, to: string): Promise<Listed[]> {
  const list = await read<{ messages: Listed[] }>(at.url, `${MESSAGES}?To=${encodeURIComponent(to)}`);
  return list.messages;
}

async function final(sid: string) {
  return eventually(
    async () => {
      const message = await readMessage(a.url, sid);
      return ['delivered', 'undelivered', 'failed'].includes(message.status) && message;
    },
    { ...PATIENT, what: () => `${sid} is final:\n${a.output()}\n${b.output()}` },
  );
}

it(
  'carries a message through another instance, and brings its delivery and its error back to the customer',
  async () => {
    const StatusCallback = `${receiver.url}/status`;
    const text = 'Grüße & "more" {{text}} 😀 '.repeat(8);
    const good = await send(a.url, { To: '+15555550142', Body: text, StatusCallback });
    const bad = await send(a.url, { To: '+15555530003', Body: 'to nobody', StatusCallback });
    expect(await final(good.sid)).toMatchObject({ status: 'delivered', body: text });
    expect(await final(bad.sid)).toMatchObject({ status: 'undelivered', error_code: 30003 });
    await eventually(() => receiver.statusesOf(good.sid).includes('delivered'), PATIENT);
    await eventually(() => receiver.statusesOf(bad.sid).includes('undelivered'), PATIENT);
    expect(receiver.statusesOf(good.sid)).toEqual(['sent', 'delivered']);
    const told = receiver.received.find(({ params }) => params.MessageStatus === 'undelivered');
    expect(told).toMatchObject({ signatureValid: true, params: { MessageSid: bad.sid, ErrorCode: '30003' } });

    expect(await messagesTo(b, '+15555550142')).toMatchObject([{ status: 'delivered' }]);
    const given = await Promise.all([a.givenToCarriers(), b.givenToCarriers()]);
    expect(given.map((each) => each.has('+15555550142'))).toEqual([false, true]);
    const carrier = await a.operator('GET', 'carriers/upstream');
    expect(carrier).toMatchObject({
      type: 'http',
      preset: 'twilio',
      base_url: b.url,
      window: 50,
      session: { phase: 'bound', error: null },
      breaker: { state: 'closed' },
      quality: { accepted: 2 },
    });
    expect(JSON.stringify(carrier)).not.toContain(DEMO_TOKEN);
  },
  TEST_MS,
);

it(
  'ends a loop of two instances with a message that failed, after five hops',
  async () => {
    const { sid } = await send(a.url, { To: '+15557770100', Body: 'round and round' });
    expect(await final(sid)).toMatchObject({ status: 'undelivered', error_code: TOO_MANY_HOPS });
    const [atA, atB] = [await messagesTo(a, '+15557770100'), await messagesTo(b, '+15557770100')];
    expect([atA.length, atB.length]).toEqual([3, 3]);
    const ends = [...atA, ...atB].map(({ status, error_code: code }) => `${status} ${code}`);
    // The sixth instance in line was refused by the next one; the others had theirs accepted, and heard of it later.
    expect(ends.sort()).toEqual(['failed 20908', ...new Array(5).fill('undelivered 20908')]);
  },
  TEST_MS,
);

it('says in plain words what is wrong with a carrier that cannot be used', async () => {
  await addUpstream(a, 'locked-out', b, 'f'.repeat(32));
  await a.operator('POST', 'carriers', { name: 'away', type: 'http', url: 'http://127.0.0.1:1/send' });
  const problem = (name: string) =>
    eventually(async () => {
      const { session } = await a.operator<{ session: { phase: string; error: string } }>('GET', `carriers/${name}`);
      return session.phase === 'down' && session.error;
    }, PATIENT);
  expect(await problem('locked-out')).toBe('the carrier refused the credentials (HTTP 401, code 20003)');
  expect(await problem('away')).toMatch(/^cannot reach 127\.0\.0\.1:1: /);
});

describe('a message that says through how many instances it came', () => {
  const create = (hops: string) =>
    call(a.url, MESSAGES, {
      headers: { authorization: basic(), 'content-type': FORM, 'x-trunkline-hops': hops },
      body: new URLSearchParams({ To: '+442079460000', From: '+15005550006', Body: 'x' }).toString(),
    });

  it('is taken up to five, and refused beyond', async () => {
    expect((await create('5')).status).toBe(201);
    for (const hops of ['6', '999']) {
      const answer = await create(hops);
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([400, TOO_MANY_HOPS]);
    }
  });

  it.each(['-1', '1.5', 'x', '', '1, 2', '9999'])('is refused where that is no number: %p', async (hops) => {
    const answer = await create(hops);
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([400, 20001]);
    expect(answer.text).toContain('X-Trunkline-Hops');
  });
});
