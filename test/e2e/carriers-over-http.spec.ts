import request from 'supertest';
import { CarriersDatabase } from '../../src/modules/carriers/infrastructure/carriers.storage.js';
import { until } from '../../src/modules/carriers/infrastructure/smpp/test-support/until.js';
import { CarriersHouse } from '../support/carriers-house.js';

let house: CarriersHouse;

beforeAll(async () => {
  house = await CarriersHouse.start();
});

afterAll(() => house?.stop());

describe('carriers over HTTP', () => {
  const SECRET = 'hush hush hush hush';
  const RECEIPTS = {
    auth: { kind: 'token', secret: 'hook' },
    id: '/id',
    state: '/state',
    states: { done: 'delivered', lost: 'undelivered' },
  };
  const web = (name: string, over: object = {}): object => ({
    name,
    type: 'http',
    url: 'http://127.0.0.1:1/send',
    headers: { Authorization: 'Bearer {{secrets.key}}' },
    json: { to: '{{to}}', text: '{{text}}', hook: '{{receipt_url}}' },
    answer: { id: '/id', code: '/error', results: [{ code: '7', result: 'permanent', error_code: 30005 }] },
    receipts: RECEIPTS,
    secrets: { key: SECRET, hook: SECRET },
    ...over,
  });

  it('are added and shown as they were defined, never with their secrets, and with how they fare', async () => {
    const added = await house.operator('post', 'carriers', web('web', { window: 5, tps: 7 }));
    expect(added.status).toBe(201);
    const { secrets: _, ...defined } = web('web', { window: 5, tps: 7 }) as Record<string, unknown>;
    expect(added.body).toMatchObject({ ...defined, method: 'POST', timeout_ms: 5000, state: 'active', version: 1 });
    for (const foreign of ['host', 'system_id', 'bind', 'secrets', 'http'])
      expect(added.body).not.toHaveProperty(foreign);
    const show = async () => (await house.operator('get', 'carriers/web')).body;
    await until('it is down', async () => (await show()).session.error?.startsWith('cannot reach 127.0.0.1:1'));
    expect(await show()).toMatchObject({
      session: { phase: 'down' },
      breaker: { state: 'closed' },
      bulkhead: { queued: 0, in_flight: 0, window: 5 },
      pace: { tps: 7 },
    });
    expect(JSON.stringify((await house.operator('get', 'carriers?limit=1000')).body)).not.toContain(SECRET);
    const { rows } = await house.app.get(CarriersDatabase).query(`select * from carriers.carrier where name = 'web'`);
    expect(JSON.stringify(rows)).not.toContain(SECRET);
    expect(rows[0]!.password.toString('latin1')).not.toContain(SECRET);
  });

  it('are changed part by part, checked as a whole', async () => {
    await house.operator('post', 'carriers', web('amended'));
    const patch = (body: object) => house.operator('patch', 'carriers/amended', body);
    const changed = await patch({
      url: 'http://127.0.0.1:2/x?k={{secrets.new}}',
      json: null,
      secrets: { new: 'a', key: 'b' },
    });
    expect(changed.body).toMatchObject({ url: 'http://127.0.0.1:2/x?k={{secrets.new}}', version: 2 });
    expect(changed.body).not.toHaveProperty('json');
    expect((await patch({ secrets: { key: 'b' } })).body.version).toBe(2);
    expect((await patch({ form: { to: '{{to}}' } })).body).toMatchObject({ form: { to: '{{to}}' }, version: 3 });
    expect((await patch({ state: 'disabled' })).body).toMatchObject({ state: 'disabled', version: 4 });
    for (const [field, body] of [
      ['url', { url: 'http://127.0.0.1:2/{{nothing}}' }],
      ['json', { json: {} }],
      ['form.hook', { receipts: null, form: { hook: '{{receipt_url}}' } }],
      ['port', { port: 3 }],
      ['password', { password: 'x' }],
      ['base_url', { base_url: 'http://127.0.0.1:2' }],
    ] as const) {
      const refused = await patch(body);
      expect([refused.status, refused.body.errors[0].field]).toEqual([400, field]);
    }
    await house.add('smpp');
    const smpp = await house.operator('patch', 'carriers/smpp', { url: 'http://127.0.0.1:2/' });
    expect([smpp.status, smpp.body.errors[0].field]).toEqual([400, 'url']);
  });

  it.each([
    ['type', { type: 'mail' }],
    ['preset', { preset: 'other' }],
    ['url', { url: undefined }],
    ['url', { url: 'http://{{to}}/' }],
    ['url', { url: 'http://127.0.0.1/{{to' }],
    ['url', { url: 7 }],
    ['method', { method: 'PUT' }],
    ['headers.Authorization', { headers: { Authorization: 'Bearer written out' } }],
    ['json.hook', { json: { hook: '{{hook}}' } }],
    ['json', { json: { long: 'x'.repeat(17_000) } }],
    ['timeout_ms', { timeout_ms: 60_000 }],
    ['answer.id', { answer: { id: 'id' } }],
    ['answer.results.0.result', { answer: { results: [{ status: '500', result: 'maybe' }] } }],
    ['answer.results.0.status', { answer: { results: [{ status: 'abc', result: 'unknown' }] } }],
    ['receipts.state', { receipts: { ...RECEIPTS, state: 'a' } }],
    ['receipts.states.done', { receipts: { ...RECEIPTS, states: { done: 'gone' } } }],
    ['receipts.auth.kind', { receipts: { ...RECEIPTS, auth: { kind: 'trust' } } }],
    ['receipts.auth.secret', { receipts: { ...RECEIPTS, auth: { kind: 'token', secret: 'none' } } }],
    ['secrets.hook', { secrets: { key: SECRET, hook: 'short' } }],
    ['secrets.key', { secrets: { key: 7, hook: SECRET } }],
    ['host', { host: '127.0.0.1' }],
    ['account_sid', { preset: 'twilio' }],
  ])('are refused with a bad %s: %j', async (field, over) => {
    const answer = await house.operator('post', 'carriers', web('bad', over));
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((each: { field: string }) => each.field)).toContain(field);
    expect((await house.operator('get', 'carriers/bad')).status).toBe(404);
  });

  it('made from the preset say what is wrong by the names that were given', async () => {
    const preset = { name: 'preset', type: 'http', preset: 'twilio', account_sid: `AC${'0'.repeat(32)}` };
    const refused = await house.operator('post', 'carriers', {
      ...preset,
      auth_token: SECRET.replaceAll(' ', '-'),
      base_url: 'nowhere',
    });
    expect(refused.body.errors[0].field).toBe('base_url');
    expect((await house.operator('post', 'carriers', { ...preset, auth_token: 'short' })).body.errors[0].field).toBe(
      'auth_token',
    );
    const added = await house.operator('post', 'carriers', {
      ...preset,
      auth_token: 'x'.repeat(32),
      base_url: 'http://127.0.0.1:1',
    });
    expect(added.body).toMatchObject({
      preset: 'twilio',
      account_sid: preset.account_sid,
      base_url: 'http://127.0.0.1:1',
    });
    const changed = await house.operator('patch', 'carriers/preset', { auth_token: 'y'.repeat(32) });
    expect(changed.body.version).toBe(2);
    expect(JSON.stringify([added.body, changed.body])).not.toMatch(/xxxx|yyyy/);
  });

  it('send their receipts to a route of their own, which believes nobody else', async () => {
    await house.operator('post', 'carriers', web('hooked'));
    const post = (name: string, token: string, type = 'application/json', body = '{"id":"h-1","state":"lost"}') =>
      request(house.server).post(`/v1/carriers/${name}/receipts${token}`).type(type).send(body);
    const good = `?token=${encodeURIComponent(SECRET)}`;
    for (const [name, token] of [
      ['hooked', ''],
      ['hooked', '?token=guess'],
      ['hooked', `${good}&token=guess`],
      ['nobody', good],
      ['shown', good],
    ] as const) {
      const answer = await post(name, token);
      expect([answer.status, answer.body.code]).toEqual([401, 20003]);
    }
    expect((await post('hooked', good, 'application/json', '{')).body.code).toBe(20001);
    expect((await post('hooked', good, 'application/json', '{"id":"h-1"}')).body.errors[0].field).toBe('/state');
    expect((await post('hooked', good, 'application/json', `{"id":"${'x'.repeat(140_000)}"}`)).status).toBe(413);
    expect((await post('hooked', good, 'text/plain')).status).toBe(415);
    expect((await post('hooked', good)).status).toBe(204);
    expect((await post('hooked', good, 'application/x-www-form-urlencoded', 'id=h-2&state=done')).status).toBe(204);
    const get = (query: string) => request(house.server).get(`/v1/carriers/hooked/receipts${query}`);
    expect((await get('?id=h-3&state=done')).status).toBe(401);
    expect((await get('')).status).toBe(401);
    expect((await get(`${good}&state=done`)).body.errors[0].field).toBe('/id');
    expect((await get(`${good}&id=h+3&state=done`)).status).toBe(204);
    const orphans = await house.operator('get', 'carriers/hooked/orphan-receipts');
    expect(orphans.body.data).toMatchObject([
      { message_id: 'h 3', state: 'delivered' },
      { message_id: 'h-2', state: 'delivered' },
      { message_id: 'h-1', state: 'undelivered', error_code: 30008 },
    ]);
    const { paths } = (await request(house.server).get('/openapi.json')).body;
    for (const method of ['post', 'get']) expect(paths['/v1/carriers/{name}/receipts'][method].security).toEqual([]);
  });
});
