import request from 'supertest';
import { AccountsApi } from '../../src/modules/accounts/contract/accounts.api.js';
import { newId, sidOf } from '../../src/shared/sid.js';
import { type OperatorSurface, startOperatorSurface } from '../support/operator-surface.js';

let surface: OperatorSurface;
let app: OperatorSurface['app'];
let server: OperatorSurface['server'];
let operator: OperatorSurface['operator'];
let open: OperatorSurface['open'];

beforeAll(async () => {
  surface = await startOperatorSurface();
  ({ app, server, operator, open } = surface);
});

afterAll(() => surface?.stop());

describe('accounts, for operators', () => {
  it('are open when the answer comes, with a token that is told once', async () => {
    const answer = await operator.post('/accounts', { friendly_name: ' Acme ', tier: 'enterprise' });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      sid: expect.stringMatching(/^AC[0-9a-f]{32}$/),
      friendly_name: 'Acme',
      tier: 'enterprise',
      status: 'active',
      close_reason: null,
      owner_account_sid: null,
      messages_per_minute: null,
      messages_per_second: null,
      messages_per_day: null,
      unknown_outcome: 'fail',
      created_at: expect.any(String),
      updated_at: expect.any(String),
      auth_token: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const { auth_token: _, ...account } = answer.body;
    const shown = await operator.get(`/accounts/${account.sid}`);
    expect(shown.status).toBe(200);
    expect(shown.body).toEqual(account);
  });

  it.each<[string, object, string]>([
    ['no name', { tier: 'pro' }, 'friendly_name'],
    ['an empty name', { friendly_name: ' ', tier: 'pro' }, 'friendly_name'],
    ['another tier', { friendly_name: 'A', tier: 'gold' }, 'tier'],
    ['an unknown field', { friendly_name: 'A', tier: 'pro', sid: 'AC' }, 'sid'],
  ])('are not opened with %s', async (_, body, field) => {
    const answer = await operator.post('/accounts', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].field).toBe(field);
  });

  it('are for operators alone', async () => {
    const { sid, auth_token: token } = await open();
    expect((await request(server).get(`/v1/operator/accounts/${sid}`)).status).toBe(401);
    expect((await request(server).get(`/v1/operator/accounts/${sid}`).auth(sid, token)).status).toBe(401);
  });

  it('are changed, and the change holds at once', async () => {
    const { sid, auth_token: token } = await open();
    const changed = await operator.patch(`/accounts/${sid}`, {
      tier: 'free',
      status: 'suspended',
      messages_per_minute: 5,
      messages_per_day: 50,
      unknown_outcome: 'retry',
    });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ tier: 'free', status: 'suspended', messages_per_minute: 5 });
    expect(await app.get(AccountsApi).authenticate({ username: sid, password: token })).toMatchObject({
      tier: 'free',
      status: 'suspended',
      messagesPerDay: 50,
      unknownOutcome: 'retry',
    });
    const closed = await operator.patch(`/accounts/${sid}`, { status: 'closed', messages_per_day: null });
    expect(closed.body).toMatchObject({ status: 'closed', messages_per_day: null });
    expect((await operator.patch(`/accounts/${sid}`, { status: 'active' })).status).toBe(409);
    expect((await request(server).get('/v1/balance').auth(sid, token)).status).toBe(401);
  });

  it.each<[object, string]>([
    [{}, 'body'],
    [{ status: 'provisioning' }, 'status'],
    [{ messages_per_minute: 0 }, 'messages_per_minute'],
    [{ messages_per_day: 1.5 }, 'messages_per_day'],
    [{ messages_per_second: 0 }, 'messages_per_second'],
    [{ unknown_outcome: 'guess' }, 'unknown_outcome'],
    [{ friendly_name: 'B' }, 'friendly_name'],
  ])('are not changed by %j', async (body, field) => {
    const { sid } = await open();
    const answer = await operator.patch(`/accounts/${sid}`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].field).toBe(field);
  });

  it('are listed in pages', async () => {
    const sids = [];
    for (let count = 0; count < 3; count++) sids.unshift((await open()).sid);
    const first = await operator.get('/accounts?limit=2');
    expect(first.body).toMatchObject({ has_more: true, next_cursor: expect.any(String) });
    const second = await operator.get(`/accounts?limit=1&cursor=${first.body.next_cursor}`);
    const listed = [...first.body.data, ...second.body.data];
    expect(listed.map((account: { sid: string }) => account.sid)).toEqual(sids);
    const forged = Buffer.from('["SM0"]').toString('base64url');
    for (const cursor of ['x', forged]) {
      const answer = await operator.get(`/accounts?cursor=${cursor}`);
      expect(answer.status).toBe(400);
      expect(answer.body.errors?.[0]?.field ?? answer.body.field).toBe('cursor');
    }
  });

  it('are not there where nobody opened them', async () => {
    for (const sid of [sidOf('AC', newId()), 'nonsense', 'AC']) {
      expect((await operator.get(`/accounts/${sid}`)).status).toBe(404);
      expect((await operator.patch(`/accounts/${sid}`, { tier: 'pro' })).status).toBe(404);
      expect((await operator.post(`/accounts/${sid}/phone-numbers`, { phone_number: '+15005554000' })).status).toBe(
        404,
      );
      expect((await operator.post(`/accounts/${sid}/keys`)).status).toBe(404);
      expect((await operator.post(`/accounts/${sid}/credits`, { amount: '1.00', key: 'k' })).status).toBe(404);
      expect((await operator.get(`/accounts/${sid}/credits`)).status).toBe(404);
      expect((await operator.post('/rates', { prefix: '+1', price: '0.01', account_sid: sid })).status).toBe(404);
    }
  });

  it('get phone numbers, each for itself', async () => {
    const [first, second] = [await open(), await open()];
    const assigned = await operator.post(`/accounts/${first.sid}/phone-numbers`, { phone_number: '+1 500 555 4001' });
    expect(assigned.status).toBe(201);
    expect(assigned.body).toEqual({
      sid: expect.stringMatching(/^PN[0-9a-f]{32}$/),
      phone_number: '+15005554001',
      created_at: expect.any(String),
    });
    const taken = await operator.post(`/accounts/${second.sid}/phone-numbers`, { phone_number: '+15005554001' });
    expect(taken.status).toBe(409);
    const bad = await operator.post(`/accounts/${second.sid}/phone-numbers`, { phone_number: 'ACME' });
    expect(bad.status).toBe(400);
    expect(bad.body.errors[0].field).toBe('phone_number');
    expect((await operator.get(`/accounts/${first.sid}/phone-numbers`)).body.data).toEqual([assigned.body]);
  });

  it('get keys, which work until they are revoked', async () => {
    const { sid } = await open();
    const made = await operator.post(`/accounts/${sid}/keys`, { friendly_name: 'laptop' });
    expect(made.status).toBe(201);
    const balance = () => request(server).get('/v1/balance').auth(made.body.sid, made.body.secret);
    expect((await balance()).status).toBe(200);
    const { secret: _, ...key } = made.body;
    expect((await operator.get(`/accounts/${sid}/keys`)).body.data).toEqual([key]);
    expect((await operator.delete(`/accounts/${sid}/keys/${key.sid}`)).status).toBe(204);
    expect((await balance()).status).toBe(401);
    expect((await operator.delete(`/accounts/${sid}/keys/${key.sid}`)).status).toBe(404);
  });

  it('get another token', async () => {
    const { sid, auth_token: token } = await open();
    const rotated = await operator.post(`/accounts/${sid}/auth-token`);
    expect(rotated.status).toBe(200);
    const status = async (password: string) => (await request(server).get('/v1/balance').auth(sid, password)).status;
    expect([await status(token), await status(rotated.body.auth_token)]).toEqual([401, 200]);
  });
});
