import request from 'supertest';
import twilio from 'twilio';
import { FindAccount } from '../../src/modules/accounts/application/find-account.js';
import { OpenAccount } from '../../src/modules/accounts/application/open-account.js';
import { AccountsDemo } from '../../src/modules/accounts/contract/accounts.demo.js';
import { AccountsLog } from '../../src/modules/accounts/infrastructure/accounts.storage.js';
import { ProvisionAccounts } from '../../src/modules/billing/application/provision-accounts.js';
import { BillingApi } from '../../src/modules/billing/contract/billing.api.js';
import { BillingDemo } from '../../src/modules/billing/contract/billing.demo.js';
import { BillingLog } from '../../src/modules/billing/infrastructure/billing.storage.js';
import { EventBus } from '../../src/platform/event-log/event-bus.js';
import { newId, parseSid, sidOf } from '../../src/shared/sid.js';
import { eventually } from '../support/eventually.js';
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

describe('provisioning', () => {
  it('opens the ledger of a subaccount under its owner', async () => {
    const owner = await open();
    const sub = await open({ owner_account_sid: owner.sid });
    expect((await operator.get(`/accounts/${sub.sid}`)).body).toMatchObject({
      status: 'active',
      owner_account_sid: owner.sid,
    });
  });

  it('closes the account where billing cannot open a ledger, and says why', async () => {
    // The SID of the ledger's own revenue account, which a development server can be told to use.
    const sid = sidOf('AC', '00000000-0000-7000-8000-000000000001');
    await app.get(OpenAccount).open({ friendlyName: 'Revenue', tier: 'free', sid });
    const closed = await eventually(async () => {
      const account = await app.get(FindAccount).find(sid);
      return account.status === 'provisioning' ? null : account;
    });
    expect(closed).toMatchObject({ status: 'closed', closeReason: expect.stringContaining('own accounts') });
  });

  it('has its effect once, however often the consumer is replayed', async () => {
    const { sid } = await open();
    const id = parseSid('AC', sid)!;
    const history = async () => [
      ...(await app.get(AccountsLog).readStream(id)).map(({ type }) => type),
      ...(await app.get(BillingLog).readStream(id)).map(({ type }) => type),
    ];
    const before = await history();
    expect(before).toEqual([
      'accounts.account-opened.v1',
      'accounts.account-activated.v1',
      'billing.account-provisioned.v1',
    ]);
    const events = await app.get(AccountsLog).readStream(id);
    const opened = events.filter(({ type }) => type === 'accounts.account-opened.v1');
    await app.get(ProvisionAccounts).prepare(opened);
    await operator.patch(`/accounts/${sid}`, { status: 'closed' });
    await app.get(ProvisionAccounts).prepare(opened);
    expect(await history()).toEqual([...before.slice(0, 2), 'accounts.account-closed.v1', before[2]]);
  });
});

describe('credits', () => {
  it('are credited once per key', async () => {
    const { sid, auth_token: token } = await open();
    const body = { amount: '100.00', key: 'first', reason: 'bank transfer' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => operator.post(`/accounts/${sid}/credits`, body)));
    for (const answer of answers) {
      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        account_sid: sid,
        key: 'first',
        amount: '100.00',
        currency: 'USD',
        reason: 'bank transfer',
        created_at: answers[0]!.body.created_at,
      });
    }
    const other = await operator.post(`/accounts/${sid}/credits`, { ...body, amount: '100.01' });
    expect(other.status).toBe(422);
    await operator.post(`/accounts/${sid}/credits`, { amount: '0.000001', key: 'second' });
    expect((await request(server).get('/v1/balance').auth(sid, token)).body).toEqual({
      balance: '100.000001',
      reserved: '0.00',
      available: '100.000001',
      currency: 'USD',
      messages_today: 0,
      messages_per_day: 10_000,
      messages_outstanding: 0,
    });
    const listed = await operator.get(`/accounts/${sid}/credits?limit=1`);
    expect(listed.body).toMatchObject({ data: [{ key: 'second', amount: '0.000001' }], has_more: true });
    const rest = await operator.get(`/accounts/${sid}/credits?cursor=${listed.body.next_cursor}`);
    expect(rest.body).toMatchObject({ data: [{ key: 'first' }], has_more: false, next_cursor: null });
  });

  it.each<[object, string]>([
    [{ amount: '0', key: 'k' }, 'amount'],
    [{ amount: '-1.00', key: 'k' }, 'amount'],
    [{ amount: '0.0000001', key: 'k' }, 'amount'],
    [{ amount: '1e3', key: 'k' }, 'amount'],
    [{ amount: '100000000.01', key: 'k' }, 'amount'],
    [{ amount: '9'.repeat(30), key: 'k' }, 'amount'],
    [{ amount: 100, key: 'k' }, 'amount'],
    [{ amount: '1.00' }, 'key'],
    [{ amount: '1.00', key: '' }, 'key'],
    [{ amount: '1.00', key: 'k', currency: 'EUR' }, 'currency'],
  ])('are refused: %j', async (body, field) => {
    const { sid } = await open();
    const answer = await operator.post(`/accounts/${sid}/credits`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].field).toBe(field);
  });

  it('are refused to a closed account', async () => {
    const { sid } = await open();
    await operator.patch(`/accounts/${sid}`, { status: 'closed' });
    expect((await operator.post(`/accounts/${sid}/credits`, { amount: '1.00', key: 'k' })).status).toBe(409);
    expect((await operator.get(`/accounts/${sid}/credits`)).body.data).toEqual([]);
  });
});

describe('rates', () => {
  it('are set, shown and taken away, and hold at once', async () => {
    const { sid } = await open();
    const quote = async () =>
      (await app.get(BillingApi).quote({ accountSid: sid, to: '+4915112345678', segments: 2 }))?.amountMicros ?? null;
    expect(await quote()).toBeNull();
    const general = await operator.post('/rates', { prefix: '+49', price: '0.0750' });
    expect(general.status).toBe(201);
    expect(general.body).toMatchObject({ prefix: '+49', price: '0.075', currency: 'USD', account_sid: null });
    expect(await quote()).toBe(150_000);
    const own = await operator.post('/rates', { prefix: '+49', price: '0.05', account_sid: sid });
    expect(own.body).toMatchObject({ account_sid: sid });
    expect(await quote()).toBe(100_000);
    const cheaper = await operator.post('/rates', { prefix: '+49', price: '0.04', account_sid: sid });
    expect(cheaper.body).toMatchObject({ id: own.body.id, price: '0.04' });
    expect(await quote()).toBe(80_000);
    const listed = await operator.get('/rates');
    expect(listed.body.data.slice(0, 2)).toEqual([cheaper.body, general.body]);
    for (const id of [own.body.id, general.body.id]) expect((await operator.delete(`/rates/${id}`)).status).toBe(204);
    expect((await operator.delete(`/rates/${own.body.id}`)).status).toBe(404);
    expect((await operator.delete('/rates/nonsense')).status).toBe(404);
    expect(await quote()).toBeNull();
  });

  it.each<[object, string]>([
    [{ price: '1' }, 'prefix'],
    [{ prefix: '49', price: '1' }, 'prefix'],
    [{ prefix: '+0', price: '1' }, 'prefix'],
    [{ prefix: `+${'1'.repeat(16)}`, price: '1' }, 'prefix'],
    [{ prefix: '+1', price: '-1' }, 'price'],
    [{ prefix: '+1', price: '1000.01' }, 'price'],
    [{ prefix: '+1', price: 0.01 }, 'price'],
  ])('are refused: %j', async (body, field) => {
    const answer = await operator.post('/rates', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].field).toBe(field);
  });
});

describe('the balance', () => {
  it('is what Twilio’s own client reads', async () => {
    const { sid, auth_token: token } = await open();
    await operator.post(`/accounts/${sid}/credits`, { amount: '10000.00', key: 'k' });
    const client = twilio(sid, token);
    client.api.baseUrl = (await app.getUrl()).replace('[::1]', '127.0.0.1');
    const balance = await client.balance.fetch();
    expect(balance.toJSON()).toEqual({ accountSid: sid, balance: '10000.00', currency: 'USD' });
  });

  it('is nobody else’s', async () => {
    const [mine, other] = [await open(), await open()];
    const answer = await request(server)
      .get(`/2010-04-01/Accounts/${other.sid}/Balance.json`)
      .auth(mine.sid, mine.auth_token);
    expect(answer.status).toBe(401);
  });

  it('falls by what is charged, not by what is reserved', async () => {
    const { sid, auth_token: token } = await open();
    await operator.post(`/accounts/${sid}/credits`, { amount: '1.00', key: 'k' });
    await operator.post('/rates', { prefix: '+1', price: '0.0079', account_sid: sid });
    const key = sidOf('SM', newId());
    await app.get(BillingApi).reserve([{ key, accountSid: sid, to: '+15005550100', segments: 1 }]);
    const balance = async () => (await request(server).get('/v1/balance').auth(sid, token)).body;
    expect(await balance()).toMatchObject({ balance: '1.00', reserved: '0.0079', available: '0.9921' });
    await app.get(BillingApi).settle([{ key, outcome: 'post' }]);
    expect(await balance()).toMatchObject({ balance: '0.9921', reserved: '0.00', available: '0.9921' });
  });
});

describe('the demo', () => {
  it('has its account, money and rates, once', async () => {
    const sid = sidOf('AC', newId());
    await operator.post('/rates', { prefix: '+3', price: '0.01' });
    const ensure = async () => {
      const demo = await app.get(AccountsDemo).openDemoAccount({ sid });
      const rates = [{ prefix: '+7', priceMicros: 1 }];
      await app.get(BillingDemo).ensureDemoBilling({ accountSid: demo.sid, amountMicros: 10_000_000_000, rates });
      return demo;
    };
    const demo = await ensure();
    expect(await ensure()).toEqual(demo);
    const answer = await request(server).get('/v1/balance').auth(demo.sid, demo.authToken);
    expect(answer.body).toMatchObject({ balance: '10000.00' });
    // There are rates already: those of the operator are left alone.
    expect(await app.get(BillingApi).quote({ accountSid: sid, to: '+79161234567', segments: 1 })).toBeNull();
    const numbers = await operator.get(`/accounts/${sid}/phone-numbers`);
    expect(numbers.body.data).toMatchObject([{ phone_number: '+15005550006' }]);
  });
});

describe('without a worker', () => {
  beforeAll(() => app.get(EventBus).stop());

  it('an account is opened, and usable later', async () => {
    const late = await operator.post('/accounts', { friendly_name: 'Late', tier: 'pro' });
    expect(late.status).toBe(503);
    expect(late.headers['retry-after']).toBeDefined();
    const [{ sid, status }] = (await operator.get('/accounts?limit=1')).body.data;
    expect(status).toBe('provisioning');
    expect(late.body.detail).toContain(sid);
    const credit = () => operator.post(`/accounts/${sid}/credits`, { amount: '1.00', key: 'k' });
    expect((await credit()).status).toBe(503);
    await app.get(EventBus).startTails();
    await app.get(EventBus).startConsumers();
    const waiting = await credit();
    expect(waiting.status).toBe(201);
    expect(await eventually(async () => (await operator.get(`/accounts/${sid}`)).body.status === 'active')).toBe(true);
  });
});

describe('afterwards', () => {
  it('the ledger is in order', async () => {
    expect(await app.get(BillingApi).checkLedger()).toMatchObject({ sumMicros: '0', violations: [] });
  });
});
