import { basic, call, FORM, JSON_TYPE, MESSAGES, read, send } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { DEMO_NUMBER, DEMO_SID, DEMO_TOKEN, makeDataDir, type Product, startProduct } from '../support/product.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const TEST_MS = 120_000;
const CARRIER = 'simulator/carriers/sim-smpp-1';
const LATER = { timeoutMs: 60_000, everyMs: 100 };

interface Listed {
  readonly sid: string;
  readonly direction: string;
  readonly status: string;
  readonly body: string;
  readonly messaging_service_sid: string | null;
  readonly price: string | null;
}

let dir: Awaited<ReturnType<typeof makeDataDir>>;
let receiver: WebhookReceiver;
let product: Product;
let service: string;

beforeAll(async () => {
  dir = await makeDataDir();
  receiver = await WebhookReceiver.start(DEMO_TOKEN);
  product = await startProduct({ dataDir: dir.path });
  service = (await post('/v1/Services', { FriendlyName: 'Talk', InboundRequestUrl: `${receiver.url}/in` })).sid;
  const numbers = await product.operator<{ data: { sid: string; phone_number: string }[] }>(
    'GET',
    `accounts/${DEMO_SID}/phone-numbers`,
  );
  const number = numbers.data.find(({ phone_number }) => phone_number === DEMO_NUMBER)!;
  await post(`/v1/Services/${service}/PhoneNumbers`, { PhoneNumberSid: number.sid });
}, TEST_MS);

afterAll(async () => {
  await product?.stop();
  await receiver?.stop();
  await dir?.remove();
}, TEST_MS);

async function post(path: string, form: Record<string, string>): Promise<{ sid: string }> {
  const headers = { authorization: basic(), 'content-type': FORM };
  const answer = await call(product.url, path, { headers, body: new URLSearchParams(form).toString() });
  if (answer.status !== 201) throw new Error(`${path} was answered with ${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text) as { sid: string };
}

const fromPhone = (from: string, text: string) =>
  product.operator('POST', `${CARRIER}/inbound`, { from, to: DEMO_NUMBER, text });

const messages = async (query: Record<string, string>) =>
  (await read<{ messages: Listed[] }>(product.url, `${MESSAGES}?${new URLSearchParams(query)}`)).messages;

/** The newest message to a phone, once it is delivered. */
async function deliveredTo(to: string, count: number): Promise<Listed> {
  let found: Listed[] = [];
  await eventually(
    async () => {
      found = await messages({ To: to });
      return found.length === count && found[0]!.status === 'delivered';
    },
    { ...LATER, what: () => `${count} messages are delivered to ${to}: ${JSON.stringify(found)}` },
  );
  return found[0]!;
}

const asked = (from: string) => receiver.received.filter(({ path, params }) => path === '/in' && params.From === from);

const optOuts = (query = '') =>
  read<{ data: { phone_number: string; from: string | null }[] }>(product.url, `/v1/opt-outs${query}`);

describe('a message from a phone', () => {
  it('reaches the webhook of the service, and the TwiML answer reaches the phone', async () => {
    const phone = '+15555550171';
    const text = 'Grüße, and a text that is long enough to come in several parts. '.repeat(4).trim();
    receiver.answer = ({ params }) =>
      params.Body === text ? `<Response><Message>You wrote ${params.NumSegments} parts</Message></Response>` : 204;
    await fromPhone(phone, text);
    const reply = await deliveredTo(phone, 1);
    expect(reply).toMatchObject({
      direction: 'outbound-reply',
      body: 'You wrote 2 parts',
      messaging_service_sid: service,
    });
    expect(Number(reply.price)).toBeLessThan(0);
    const [received, ...others] = await messages({ From: phone });
    expect(others).toEqual([]);
    expect(received).toMatchObject({ direction: 'inbound', status: 'received', body: text, price: null });
    expect(asked(phone)).toMatchObject([
      {
        signatureValid: true,
        params: {
          MessageSid: received!.sid,
          Body: text,
          To: DEMO_NUMBER,
          MessagingServiceSid: service,
          SmsStatus: 'received',
        },
      },
    ]);
  });

  it('that says STOP ends what is sent to it, until it says START', async () => {
    const phone = '+15555550172';
    receiver.answer = () => '<Response><Message>This is not sent to who has opted out</Message></Response>';
    await fromPhone(phone, 'Stop!');
    expect(await deliveredTo(phone, 1)).toMatchObject({
      direction: 'outbound-reply',
      body: expect.stringContaining('START'),
    });
    await eventually(() => asked(phone).length === 1, LATER);
    expect(asked(phone)).toMatchObject([{ params: { OptOutType: 'STOP', Body: 'Stop!' } }]);
    for (const sender of [{ From: DEMO_NUMBER }, { From: '', MessagingServiceSid: service }] as Record<
      string,
      string
    >[]) {
      await expect(send(product.url, { To: '+1 (555) 555-0172', Body: 'Hello?', ...sender })).rejects.toThrow('21610');
    }
    expect((await optOuts(`?phone_number=${encodeURIComponent(phone)}`)).data).toHaveLength(2);
    receiver.answer = () => 204;
    await fromPhone(phone, 'start');
    await deliveredTo(phone, 2);
    await send(product.url, { To: phone, Body: 'Welcome back' });
    expect(await deliveredTo(phone, 3)).toMatchObject({ direction: 'outbound-api' });
    expect((await optOuts()).data).toEqual([]);
  });

  it('can be answered in the customer’s own words', async () => {
    const phone = '+15555550173';
    const put = (body: object) =>
      call(product.url, `/v1/opt-out-settings/${service}`, {
        method: 'PUT',
        headers: { authorization: basic(), 'content-type': JSON_TYPE },
        body: JSON.stringify(body),
      });
    expect(
      await put({ stop: { keywords: ['Schluss'], reply: 'Schade.' }, start: { keywords: ['schluss'] } }),
    ).toMatchObject({
      status: 400,
      text: expect.stringContaining('start.keywords'),
    });
    expect(await put({ stop: { keywords: ['Schluss'], reply: 'Schade.' } })).toMatchObject({ status: 200 });
    await fromPhone(phone, '„Schluss!“');
    expect(await deliveredTo(phone, 1)).toMatchObject({ body: 'Schade.' });
    const removed = await call(
      product.url,
      `/v1/opt-outs/${encodeURIComponent(phone)}?messaging_service_sid=${service}`,
      {
        method: 'DELETE',
        headers: { authorization: basic() },
      },
    );
    expect(removed.status).toBe(204);
    expect((await optOuts()).data).toEqual([]);
  });

  it('to a number that nobody owns is shown to the operator', async () => {
    const stranger = { from: '+15555550174', to: '+15005550123', text: 'Anybody there?' };
    await product.operator('POST', `${CARRIER}/inbound`, stranger);
    await eventually(async () => {
      const { data } = await product.operator<{ data: { from: string; to: string }[] }>('GET', 'unassigned-messages');
      return data.some(({ from, to }) => from === stranger.from && to === stranger.to);
    }, LATER);
  });

  it('leaves the books in order, and nothing of its text outside its row', async () => {
    expect(await product.audited()).toMatchObject({ ok: true, violations: [] });
    expect(product.output()).not.toContain('Anybody there');
    expect(product.output()).not.toContain('several parts');
  });
});
