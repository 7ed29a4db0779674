import { CarriersApi } from '../../src/modules/carriers/contract/carriers.api.js';
import { CarriersDemo } from '../../src/modules/carriers/contract/carriers.demo.js';
import { until } from '../../src/modules/carriers/infrastructure/smpp/test-support/until.js';
import { submissions } from '../support/carriers.js';
import { CarriersHouse } from '../support/carriers-house.js';

let house: CarriersHouse;

beforeAll(async () => {
  house = await CarriersHouse.start();
});

afterAll(() => house?.stop());

describe('the simulated carriers', () => {
  it('show their knobs, and turn them', async () => {
    expect((await house.operator('get', 'simulator/carriers/sim')).body).toMatchObject({
      name: 'sim',
      knobs: { outage: 'none', latency_ms: 0 },
      counters: { submitted: expect.any(Number), answered: expect.any(Number), receipts: expect.any(Number) },
    });
    const put = await house.operator('put', 'simulator/carriers/sim', { latency_ms: 5, error_rate: 0.5 });
    expect([put.status, put.body.knobs]).toEqual([200, expect.objectContaining({ latency_ms: 5, error_rate: 0.5 })]);
    await house.operator('put', 'simulator/carriers/sim', { latency_ms: 0, error_rate: 0 });
  });

  it.each([
    ['outage', { outage: 'sometimes' }],
    ['error_rate', { error_rate: 2 }],
    ['volume', { volume: 11 }],
  ])('refuse a bad %s: %j', async (field, body) => {
    const answer = await house.operator('put', 'simulator/carriers/sim', body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, field]);
  });

  it('keep their own record of what they were given', async () => {
    await house.add('recorded');
    await house.operator('post', 'routes', { prefix: '+4420', carrier: 'recorded', priority: 1, weight: 1 });
    const items = submissions(3, {}, '+4420');
    await until('it takes them', async () => {
      const results = await house.app.get(CarriersApi).submit(items);
      return results.every((result) => result === 'taken');
    });
    await until('they have arrived', () => house.simulated.given('sim', items).every((count) => count === 1));
    const page = await house.operator('get', 'simulator/carriers/sim/submissions?limit=2');
    expect(page.body.data).toHaveLength(2);
    const next = await house.operator('get', `simulator/carriers/sim/submissions?cursor=${page.body.next_cursor}`);
    expect(next.body).toMatchObject({ has_more: false, next_cursor: null, data: [{ text: 'hello' }] });
    expect((await house.operator('get', 'simulator/carriers/sim/submissions?cursor=WyJhIl0')).status).toBe(400);
  });

  it('let phones write, in parts where it takes several, and operators see what came in', async () => {
    await house.add('inbound');
    await until(
      'it is bound',
      async () => (await house.operator('get', 'carriers/inbound')).body.session.phase === 'bound',
    );
    await house.disable('sim', 'inbound');
    const phone = { from: '+15551234567', to: '+15005550006' };
    const send = (text: string, more: object = {}) =>
      house.operator('post', 'simulator/carriers/sim/inbound', { ...phone, text, ...more });
    const texts = ['Hëllo €', `${'x'.repeat(200)}{end}`, 'Привет 😀 '.repeat(20)];
    const sent = [];
    for (const text of texts) {
      const answer = await send(text);
      expect(answer.status).toBe(201);
      sent.push(answer.body);
    }
    expect(sent).toEqual([
      { encoding: 'UCS-2', parts: 1 },
      { encoding: 'GSM-7', parts: 2 },
      { encoding: 'UCS-2', parts: 3 },
    ]);
    for (const concatenation of ['sar', 'payload']) await send(texts[1]!, { concatenation });
    const page = await house.operator('get', 'carriers/inbound/inbound?limit=3');
    const next = await house.operator('get', `carriers/inbound/inbound?cursor=${page.body.next_cursor}`);
    const shown = [...page.body.data, ...next.body.data].reverse();
    const received_at = expect.any(String);
    const rows = [
      [texts[0], 'UCS-2', 1],
      [texts[1], 'GSM-7', 2],
      [texts[2], 'UCS-2', 3],
      [texts[1], 'GSM-7', 2],
      [texts[1], 'GSM-7', 1],
    ].map(([text, encoding, segments]) => ({ ...phone, text, encoding, segments, missing_segments: 0, received_at }));
    expect(shown).toEqual(rows.map((row) => ({ id: expect.any(String), ...row })));
    const contents = await house.app.get(CarriersApi).inboundContents(shown.map(({ id }: { id: string }) => id));
    expect(contents.map(({ text }) => text).sort()).toEqual(rows.map(({ text }) => text).sort());
    const events = await house.history('inbound');
    expect(events.filter((event) => event === 'inbound-received 1')).toHaveLength(5);
  });

  it.each([
    ['from', { from: '' }],
    ['to', { to: 'x'.repeat(21) }],
    ['text', { text: 'x'.repeat(10_001) }],
    ['text', { text: 1 }],
    ['concatenation', { concatenation: 'glue' }],
    ['subject', { subject: 'x' }],
  ])('refuse a message from a phone with a bad %s', async (field, over) => {
    const message = { from: '+15551234567', to: '+15005550006', text: 'hi', ...over };
    const answer = await house.operator('post', 'simulator/carriers/sim/inbound', message);
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, field]);
  });

  it('say so where nobody is bound to receive', async () => {
    await house.disable('sim');
    const message = { from: '+15551234567', to: '+15005550006', text: 'hi' };
    const answer = await house.operator('post', 'simulator/carriers/sim/inbound', message);
    expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('no client is bound')]);
    expect((await house.operator('post', 'simulator/carriers/nobody/inbound', message)).status).toBe(404);
    expect((await house.operator('get', 'carriers/nobody/inbound')).status).toBe(404);
  });

  it('are none but those that there are', async () => {
    for (const method of ['get', 'put'] as const) {
      expect((await house.operator(method, 'simulator/carriers/nobody')).status).toBe(404);
    }
    expect((await house.operator('get', 'simulator/carriers/nobody/submissions')).status).toBe(404);
  });
});

it('makes the carriers of the demo once, and points them to where they listen', async () => {
  const demo = house.app.get(CarriersDemo);
  await demo.ensureDemoCarriers([
    { name: 'demo-1', type: 'smpp', port: 4001, password: 'one' },
    { name: 'demo-2', type: 'http', port: 4002, password: 'one' },
  ]);
  const routes = async () => {
    const { data } = (await house.operator('get', 'routes?limit=1000')).body as { data: Record<string, unknown>[] };
    return data.filter(({ prefix }) => prefix === '').map(({ carrier: name, priority }) => [priority, name]);
  };
  expect((await routes()).sort()).toEqual([
    [1, 'demo-1'],
    [2, 'demo-2'],
  ]);
  await house.operator('patch', 'carriers/demo-1', { window: 9 });
  const { data } = (await house.operator('get', 'routes')).body as { data: { id: string; carrier: string }[] };
  await house.operator('delete', `routes/${data.find((each) => each.carrier === 'demo-2')!.id}`);
  await demo.ensureDemoCarriers([
    { name: 'demo-1', type: 'smpp', port: 5001, password: 'two' },
    { name: 'demo-2', type: 'http', port: 5002, password: 'two' },
  ]);
  expect((await house.operator('get', 'carriers/demo-1')).body).toMatchObject({ port: 5001, window: 9, version: 3 });
  const http = (await house.operator('get', 'carriers/demo-2')).body;
  expect(http).toMatchObject({ type: 'http', url: 'http://127.0.0.1:5002/messages', version: 2 });
  expect(await routes()).toEqual([[1, 'demo-1']]);
});
