import twilio from 'twilio';
import { eventually } from '../support/eventually.js';
import { insist } from '../support/insist.js';
import {
  DEMO_NUMBER,
  DEMO_SID,
  DEMO_TOKEN,
  makeReadyDataDir,
  type Product,
  SIMULATORS,
  startProduct,
} from '../support/product.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

/** Twilio's own package, pointed at the product as domain facts say: nothing else is changed. */
function sdk(url: string, username = DEMO_SID, password = DEMO_TOKEN) {
  const client = twilio(username, password, { accountSid: DEMO_SID });
  client.api.baseUrl = url;
  client.messaging.baseUrl = url;
  return client;
}

describe('the first message, with the official SDK', () => {
  let dir: Awaited<ReturnType<typeof makeReadyDataDir>>;
  let product: Product;
  let receiver: WebhookReceiver;
  let client: ReturnType<typeof sdk>;

  beforeAll(async () => {
    dir = await makeReadyDataDir();
    [product, receiver] = await Promise.all([startProduct({ dataDir: dir.path }), WebhookReceiver.start(DEMO_TOKEN)]);
    client = sdk(product.url);
  }, 90_000);

  afterAll(async () => {
    await product?.stop();
    await receiver?.stop();
    await dir?.remove();
  }, 60_000);

  const send = (to: string, body: string, more: object = {}) =>
    insist(() => client.messages.create({ to, from: DEMO_NUMBER, body, ...more }));

  it('is accepted, carried, receipted, charged and reported to a signed webhook', async () => {
    const before = Number((await client.balance.fetch()).balance);
    const statusCallback = `${receiver.url}/status?customer=7`;
    const created = await send('+15555550100', 'Hello from the SDK', { statusCallback });
    expect(created).toMatchObject({
      accountSid: DEMO_SID,
      apiVersion: '2010-04-01',
      body: 'Hello from the SDK',
      dateSent: null,
      direction: 'outbound-api',
      errorCode: null,
      errorMessage: null,
      from: DEMO_NUMBER,
      messagingServiceSid: null,
      numMedia: '0',
      numSegments: '1',
      price: null,
      priceUnit: 'USD',
      status: 'queued',
      to: '+15555550100',
      uri: `/2010-04-01/Accounts/${DEMO_SID}/Messages/${created.sid}.json`,
    });
    expect(created.sid).toMatch(/^SM[0-9a-f]{32}$/);
    expect(created.dateCreated).toBeInstanceOf(Date);
    const delivered = await eventually(async () => {
      const message = await client.messages(created.sid).fetch();
      return message.status === 'delivered' && message;
    });
    expect(delivered).toMatchObject({ price: '-0.00790', priceUnit: 'USD', errorCode: null });
    expect(delivered.dateSent).toBeInstanceOf(Date);
    await eventually(() => receiver.statusesOf(created.sid).length === 2, { what: 'both callbacks' });
    expect(receiver.statusesOf(created.sid)).toEqual(['sent', 'delivered']);
    const callbacks = receiver.received.filter((callback) => callback.params.MessageSid === created.sid);
    for (const { params, signatureValid, path } of callbacks) {
      expect(signatureValid).toBe(true);
      expect(path).toBe('/status?customer=7');
      expect(params).toMatchObject({
        AccountSid: DEMO_SID,
        ApiVersion: '2010-04-01',
        From: DEMO_NUMBER,
        To: '+15555550100',
        SmsSid: created.sid,
        SmsStatus: params.MessageStatus,
      });
    }
    await eventually(async () => Number((await client.balance.fetch()).balance) < before, { what: 'it is charged' });
    expect(Number((await client.balance.fetch()).balance)).toBeCloseTo(before - 0.0079, 6);
  });

  it("goes through the demo account's messaging service, whose callback is told, and can be scheduled and taken back", async () => {
    const messagingServiceSid = DEMO_SID.replace('AC', 'MG');
    await client.messaging.v1.services(messagingServiceSid).update({ statusCallback: `${receiver.url}/service` });
    const through = { to: '+15555550101', body: 'through a service', messagingServiceSid };
    const sent = await insist(() => client.messages.create(through));
    expect(sent).toMatchObject({ status: 'accepted', from: DEMO_NUMBER, messagingServiceSid });
    await eventually(() => receiver.statusesOf(sent.sid).length === 2, { what: 'both callbacks' });
    expect(receiver.statusesOf(sent.sid)).toEqual(['sent', 'delivered']);
    const callback = receiver.received.find(({ params }) => params.MessageSid === sent.sid);
    expect(callback?.params.MessagingServiceSid).toBe(messagingServiceSid);
    const sendAt = new Date(Date.now() + 34 * 24 * 3_600_000);
    const later = await insist(() => client.messages.create({ ...through, scheduleType: 'fixed', sendAt }));
    expect(later.status).toBe('scheduled');
    expect(await client.messages(later.sid).update({ status: 'canceled' })).toMatchObject({ status: 'canceled' });
    await eventually(() => receiver.statusesOf(later.sid).length === 1, { what: 'the callback of its end' });
    expect(receiver.statusesOf(later.sid)).toEqual(['canceled']);
    await client.messaging.v1.services(messagingServiceSid).update({ statusCallback: '' });
  });

  it('tells why a message was not delivered', async () => {
    const created = await send('+15555530003', 'no luck', { statusCallback: `${receiver.url}/undelivered` });
    const message = await eventually(async () => {
      const found = await client.messages(created.sid).fetch();
      return found.status === 'undelivered' && found;
    });
    expect(message).toMatchObject({ errorCode: 30003, price: '-0.00790' });
    expect(message.errorMessage).toEqual(expect.any(String));
    await eventually(() => receiver.statusesOf(created.sid).includes('undelivered'));
    const last = receiver.received.find(
      ({ params }) => params.MessageSid === created.sid && params.MessageStatus === 'undelivered',
    );
    expect(last?.params.ErrorCode).toBe('30003');
  });

  it('carries long and non-GSM texts in segments, charged per segment, delivered when all are', async () => {
    const body = `${'żółć '.repeat(40)}😀`;
    const created = await send('+447700900123', body);
    expect(created).toMatchObject({ numSegments: '4', body });
    const delivered = await eventually(async () => {
      const found = await client.messages(created.sid).fetch();
      return found.status === 'delivered' && found;
    });
    expect(delivered.price).toBe('-0.16000');
    const { data } = await product.operator<{ data: { destination: string; text: string }[] }>(
      'GET',
      'simulator/carriers/sim-smpp-1/submissions?limit=1000',
    );
    const parts = data.filter((submission) => submission.destination === '+447700900123');
    expect(parts.map((part) => part.text).join('')).toBe(body);
  });

  it('lists, pages and filters', async () => {
    const to = '+15555550177';
    const sent: Awaited<ReturnType<typeof send>>[] = [];
    for (let index = 0; index < 5; index++) sent.push(await send(to, `page ${index}`));
    const newestFirst = sent.map((message) => message.sid).reverse();
    const listed = await client.messages.list({ to, pageSize: 2 });
    expect(listed.map((message) => message.sid)).toEqual(newestFirst);
    const page = await client.messages.page({ to, pageSize: 2 });
    const second = await page.nextPage();
    expect(second?.instances.map((message) => message.sid)).toEqual(newestFirst.slice(2, 4));
    const back = await second?.previousPage();
    expect(back?.instances.map((message) => message.sid)).toEqual(newestFirst.slice(0, 2));
    await eventually(async () => (await client.messages(sent[4]!.sid).fetch()).status === 'delivered');
    const today = await client.messages.list({ to, dateSent: new Date(), limit: 20 });
    expect(today.map((message) => message.sid)).toContain(sent[4]!.sid);
    const old = await client.messages.list({ to, dateSentBefore: new Date(Date.now() - 7 * 86_400_000) });
    expect(old).toEqual([]);
  });

  it('redacts and deletes final messages, and refuses to before', async () => {
    const created = await send('+15555550101', 'a secret');
    await eventually(async () => (await client.messages(created.sid).fetch()).status === 'delivered');
    const redacted = await client.messages(created.sid).update({ body: '' });
    expect(redacted).toMatchObject({ sid: created.sid, body: '', status: 'delivered' });
    await expect(client.messages(created.sid).update({ status: 'canceled' })).rejects.toMatchObject({ code: 30409 });
    expect(await client.messages(created.sid).remove()).toBe(true);
    await expect(client.messages(created.sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
  });

  it('cancels what still waits, and charges nothing for it', async () => {
    for (const name of SIMULATORS) await product.operator('PUT', `simulator/carriers/${name}`, { outage: 'refuse' });
    try {
      await eventually(
        async () => {
          const { data } = await product.operator<{ data: { session: { phase: string } }[] }>('GET', 'carriers');
          return data.every((carrier) => carrier.session.phase !== 'bound');
        },
        { what: 'every carrier is down' },
      );
      const created = await send('+15555550102', 'too late', { statusCallback: `${receiver.url}/canceled` });
      const canceled = await client.messages(created.sid).update({ status: 'canceled' });
      expect(canceled).toMatchObject({ status: 'canceled', price: null });
      await eventually(() => receiver.statusesOf(created.sid).includes('canceled'));
    } finally {
      for (const name of SIMULATORS) await product.operator('PUT', `simulator/carriers/${name}`, { outage: 'none' });
    }
  }, 60_000);

  it('gives one message for one Idempotency-Key, however often and however concurrently', async () => {
    const post = (body: string) =>
      fetch(`${product.url}/2010-04-01/Accounts/${DEMO_SID}/Messages.json`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${DEMO_SID}:${DEMO_TOKEN}`).toString('base64')}`,
          'idempotency-key': 'order-4711',
        },
        body: new URLSearchParams({ To: '+15555550103', From: DEMO_NUMBER, Body: body }),
      });
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('once')));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
    expect(statuses).toContain(201);
    const again = await post('once');
    expect(again.status).toBe(201);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const { sid, status } = (await again.json()) as { sid: string; status: string };
    expect(status).toBe('queued');
    const other = await post('something else');
    expect(other.status).toBe(422);
    const listed = await client.messages.list({ to: '+15555550103' });
    expect(listed.map((message) => message.sid)).toEqual([sid]);
  });

  it('says what a message would cost without sending it', async () => {
    const response = await fetch(`${product.url}/v1/messages/preview`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${DEMO_SID}:${DEMO_TOKEN}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ to: '+447700900999', body: 'x'.repeat(161) }),
    });
    expect(await response.json()).toMatchObject({
      encoding: 'GSM-7',
      segments: 2,
      price: '0.0800',
      price_unit: 'USD',
      route: { carrier: expect.any(String) },
    });
  });

  it('shows the history of a message as events', async () => {
    const created = await send('+15555550104', 'with a history');
    await eventually(async () => (await client.messages(created.sid).fetch()).status === 'delivered');
    const response = await fetch(`${product.url}/v1/messages/${created.sid}/events`, {
      headers: { authorization: `Basic ${Buffer.from(`${DEMO_SID}:${DEMO_TOKEN}`).toString('base64')}` },
    });
    const { data } = (await response.json()) as { data: { type: string; sequence: number }[] };
    expect(data.map((event) => [event.sequence, event.type])).toEqual([
      [1, 'messaging.message-accepted.v1'],
      [2, 'messaging.message-sent.v1'],
      [3, 'messaging.message-delivered.v1'],
    ]);
  });

  it('stands the audit', async () => {
    expect(await product.audited()).toMatchObject({ ok: true, violations: [] });
  }, 70_000);
});
