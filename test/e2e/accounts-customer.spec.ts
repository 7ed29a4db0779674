import request from 'supertest';
import twilio from 'twilio';
import { SetRate } from '../../src/modules/billing/application/set-rate.js';
import { BillingApi } from '../../src/modules/billing/contract/billing.api.js';
import { BillingDatabase } from '../../src/modules/billing/infrastructure/billing.storage.js';
import { newId, sidOf } from '../../src/shared/sid.js';
import { type OperatorSurface, startOperatorSurface } from '../support/operator-surface.js';

const PRICE = 7_900;

let surface: OperatorSurface;
let server: OperatorSurface['server'];
let operator: OperatorSurface['operator'];
let url: string;
let numbers = 0;

beforeAll(async () => {
  surface = await startOperatorSurface();
  ({ server, operator } = surface);
  const address = server.address() as { port: number };
  url = `http://127.0.0.1:${address.port}`;
  await surface.app.get(SetRate).set({ prefix: '+1', priceMicros: PRICE, accountSid: null });
});

afterAll(() => surface?.stop());

/** Twilio's own package, with the credentials of an account or, for one of its subaccounts, of its owner. */
function sdk(username: string, password: string, accountSid = username) {
  const client = twilio(username, password, { accountSid });
  client.api.baseUrl = url;
  return client;
}

async function openOwner() {
  const { sid, auth_token: token } = await surface.open();
  return { sid, token, client: sdk(sid, token) };
}

const refused = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => ({ status: 200, code: 0 }),
    (reason: { status: number; code: number }) => reason,
  );
  return [error.status, error.code];
};

describe('an account and its subaccounts', () => {
  it('are opened, read, suspended, reactivated and closed by the owner', async () => {
    const { sid, client } = await openOwner();
    const sub = await client.api.v2010.accounts.create({ friendlyName: 'Sub' });
    expect(sub).toMatchObject({ friendlyName: 'Sub', status: 'active', ownerAccountSid: sid, type: 'Full' });
    expect((await operator.get(`/accounts/${sub.sid}`)).body).toMatchObject({ tier: 'pro', owner_account_sid: sid });
    expect((await client.api.v2010.accounts.list()).map((account) => account.sid)).toEqual([sub.sid, sid]);
    const own = sdk(sub.sid, sub.authToken);
    expect(await own.api.v2010.accounts.list()).toMatchObject([{ sid: sub.sid, authToken: sub.authToken }]);
    const key = await own.newKeys.create({ friendlyName: 'laptop' });
    const byKey = sdk(key.sid, key.secret, sub.sid);
    expect((await byKey.balance.fetch()).balance).toBe('0.00');

    const status = (to: 'active' | 'suspended' | 'closed') => client.api.v2010.accounts(sub.sid).update({ status: to });
    expect((await status('suspended')).status).toBe('suspended');
    expect((await byKey.balance.fetch()).accountSid).toBe(sub.sid);
    expect(await refused(own.newKeys.create())).toEqual([403, 10001]);
    expect(await refused(own.api.v2010.accounts(sub.sid).update({ status: 'active' }))).toEqual([403, 10001]);
    expect((await status('active')).status).toBe('active');
    expect((await byKey.balance.fetch()).accountSid).toBe(sub.sid);

    expect(await status('closed')).toMatchObject({ status: 'closed', authToken: null });
    expect(await refused(own.balance.fetch())).toEqual([401, 20003]);
    expect(await refused(byKey.balance.fetch())).toEqual([401, 20003]);
    expect(await refused(status('active'))).toEqual([409, 20409]);
    expect((await client.api.v2010.accounts(sub.sid).fetch()).status).toBe('closed');
    expect((await operator.get(`/accounts/${sub.sid}`)).body).toMatchObject({ close_reason: 'closed by its owner' });
  });

  it('are nobody else’s, and a subaccount rules nobody', async () => {
    const [owner, stranger] = [await openOwner(), await openOwner()];
    const sub = await owner.client.api.v2010.accounts.create({});
    expect(sub.friendlyName).toMatch(/^SubAccount Created at \d{4}/);
    const own = sdk(sub.sid, sub.authToken);
    for (const [client, sid] of [
      [stranger.client, sub.sid],
      [stranger.client, owner.sid],
      [own, owner.sid],
    ] as const) {
      expect(await refused(client.api.v2010.accounts(sid).fetch())).toEqual([401, 20003]);
      expect(await refused(client.api.v2010.accounts(sid).update({ friendlyName: 'mine' }))).toEqual([401, 20003]);
      expect(await refused(client.api.v2010.accounts(sid).keys.list())).toEqual([401, 20003]);
      expect(await refused(client.api.v2010.accounts(sid).usage.records.list())).toEqual([401, 20003]);
    }
    expect(await refused(own.api.v2010.accounts.create({}))).toEqual([403, 20003]);
    expect(await refused(own.api.v2010.accounts(sub.sid).update({ status: 'closed' }))).toEqual([403, 20003]);
    expect(await refused(owner.client.api.v2010.accounts(owner.sid).update({ status: 'closed' }))).toEqual([
      403, 20003,
    ]);
    expect((await own.api.v2010.accounts(sub.sid).update({ friendlyName: 'Renamed' })).friendlyName).toBe('Renamed');
  });

  it('are reached with an auth token, and not with a key', async () => {
    const { sid, client } = await openOwner();
    const key = await client.newKeys.create({ friendlyName: 'laptop' });
    const byKey = sdk(key.sid, key.secret, sid);
    expect(await refused(byKey.api.v2010.accounts(sid).fetch())).toEqual([403, 20003]);
    expect(await refused(byKey.api.v2010.accounts.list())).toEqual([403, 20003]);
    expect(await refused(byKey.api.v2010.accounts.create({}))).toEqual([403, 20003]);
    expect(await refused(byKey.newKeys.create({}))).toEqual([403, 20003]);
    expect(await refused(byKey.keys(key.sid).remove())).toEqual([403, 20003]);
    expect((await byKey.incomingPhoneNumbers.list()).length).toBe(0);
    expect(await client.keys(key.sid).remove()).toBe(true);
    expect(await refused(byKey.balance.fetch())).toEqual([401, 20003]);
    expect(await refused(client.keys(key.sid).fetch())).toEqual([404, 20404]);
  });
});

describe('the owner acts for a subaccount with its own credentials', () => {
  it('on its keys and numbers', async () => {
    const { client } = await openOwner();
    const sub = await client.api.v2010.accounts.create({});
    const theirs = client.api.v2010.accounts(sub.sid);
    const key = await theirs.newKeys.create({ friendlyName: 'of the sub' });
    expect((await theirs.keys.list()).map(({ sid }) => sid)).toEqual([key.sid]);
    expect(await client.keys.list()).toEqual([]);
    await operator.post(`/accounts/${sub.sid}/phone-numbers`, { phone_number: '+15005554001' });
    const [number] = await theirs.incomingPhoneNumbers.list();
    const changed = await theirs.incomingPhoneNumbers(number!.sid).update({ smsUrl: 'https://example.com/in' });
    expect(changed).toMatchObject({ accountSid: sub.sid, smsUrl: 'https://example.com/in', smsMethod: 'POST' });
    expect(await refused(client.incomingPhoneNumbers(number!.sid).fetch())).toEqual([404, 20404]);
    await client.api.v2010.accounts(sub.sid).update({ status: 'suspended' });
    expect((await theirs.incomingPhoneNumbers.list()).length).toBe(1);
    expect(await refused(theirs.incomingPhoneNumbers(number!.sid).remove())).toEqual([403, 10001]);
  });
});

describe('numbers', () => {
  it.each([
    ['SmsUrl', 'nonsense'],
    ['SmsUrl', 'http://127.0.0.1/'],
    ['SmsMethod', 'PUT'],
    ['AccountSid', `AC${'0'.repeat(32)}`],
    ['FriendlyName', 'x'.repeat(65)],
  ])('are not changed to %s=%s', async (field, value) => {
    const { sid, token } = await openOwner();
    const phone_number = `+1500555${4100 + numbers++}`;
    const assigned = (await operator.post(`/accounts/${sid}/phone-numbers`, { phone_number })).body as { sid: string };
    const answer = await request(server)
      .post(`/2010-04-01/Accounts/${sid}/IncomingPhoneNumbers/${assigned.sid}.json`)
      .auth(sid, token)
      .type('form')
      .send({ [field]: value });
    expect(answer.body).toMatchObject({ status: 400, code: 20001, message: expect.stringContaining(field) });
  });

  it('that are no numbers are told apart from those that are not for sale', async () => {
    const { client } = await openOwner();
    expect(await refused(client.incomingPhoneNumbers.create({ phoneNumber: 'nonsense' }))).toEqual([400, 21421]);
    expect(await refused(client.incomingPhoneNumbers.create({ areaCode: '510' }))).toEqual([400, 21422]);
  });
});

describe('usage', () => {
  const spend = async (accountSid: string, count: number) => {
    await operator.post(`/accounts/${accountSid}/credits`, { amount: '1.00', key: newId(), reason: 'test' });
    const keys = Array.from({ length: count }, () => sidOf('SM', newId()));
    const items = keys.map((key) => ({ key, accountSid, to: '+15555550100', segments: 1 }));
    await surface.app.get(BillingApi).reserve(items);
    await surface.app.get(BillingApi).settle(keys.map((key) => ({ key, outcome: 'post' })));
  };

  it('is what was charged, with that of subaccounts unless they are left out', async () => {
    const { sid, client } = await openOwner();
    const sub = await client.api.v2010.accounts.create({});
    await Promise.all([spend(sid, 3), spend(sub.sid, 2)]);
    const records = client.usage.records;
    const of = async (list: Promise<{ category: string; count: string; price: number }[]>) =>
      (await list).map(({ category, count, price }) => [category, count, price]);
    const five = [
      ['sms', '5', 0.0395],
      ['sms-outbound', '5', 0.0395],
      ['totalprice', null, 0.0395],
    ];
    // Over midnight the day of today would be another one.
    expect(await of(records.list())).toEqual(five);
    expect(await of(records.allTime.list())).toEqual(five);
    expect(await of(records.yearly.list({ category: 'sms' }))).toEqual([five[0]]);
    expect(await of(records.list({ category: 'sms', includeSubaccounts: false }))).toEqual([['sms', '3', 0.0237]]);
    expect(await of(client.api.v2010.accounts(sub.sid).usage.records.list({ category: 'sms' }))).toEqual([
      ['sms', '2', 0.0158],
    ]);
    expect(await of(records.list({ category: 'calls' }))).toEqual([]);
    const days = await records.daily.list({ startDate: new Date(Date.now() - 40 * 24 * 3600 * 1000), pageSize: 7 });
    expect(days.length).toBeGreaterThanOrEqual(41 * 3);
    expect(days.reduce((sum, { category, count }) => sum + (category === 'sms' ? Number(count) : 0), 0)).toBe(5);
    const dates = days.map(({ startDate }) => startDate.getTime());
    expect(dates).toEqual([...dates].sort((a, b) => b - a));
    expect(await of(records.lastMonth.list())).toHaveLength(3);
  });

  it('can be read back page by page', async () => {
    const { sid, token } = await openOwner();
    const read = async (path: string) => (await request(server).get(path).auth(sid, token)).body;
    const path = `/2010-04-01/Accounts/${sid}/Usage/Records/Daily.json?StartDate=-9days&PageSize=4`;
    const pages = [await read(path)];
    while (pages.at(-1).next_page_uri) pages.push(await read(pages.at(-1).next_page_uri));
    expect(pages.map(({ usage_records: rows }) => rows.length)).toEqual([4, 4, 4, 4, 4, 4, 4, 2]);
    const back = [pages.at(-1)];
    while (back.at(-1).previous_page_uri) back.push(await read(back.at(-1).previous_page_uri));
    const rows = (page: { usage_records: { as_of: string }[] }) =>
      page.usage_records.map(({ as_of: _, ...row }) => row);
    expect(back.reverse().map(rows)).toEqual(pages.map(rows));
  });

  it.each(['StartDate=yesterday', 'EndDate=2026-02-30', 'IncludeSubaccounts=maybe', 'PageToken=PAW10', 'Page=1'])(
    'is not told for %s',
    async (query) => {
      const { sid, token } = await openOwner();
      const answer = await request(server)
        .get(`/2010-04-01/Accounts/${sid}/Usage/Records.json?${query}`)
        .auth(sid, token);
      const field = query.startsWith('Page') ? 'PageToken' : query.split('=')[0]!;
      expect(answer.body).toMatchObject({ status: 400, code: 20001, message: expect.stringContaining(field) });
    },
  );

  it('is made anew for the operator, from the ledger', async () => {
    const { sid, client } = await openOwner();
    await spend(sid, 4);
    await surface.app.get(BillingDatabase).query('update billing.usage_day set charges = 9');
    const rebuilt = await operator.post('/usage/rebuild');
    expect([rebuilt.status, rebuilt.body.corrected]).toEqual([200, expect.any(Number)]);
    expect(rebuilt.body.corrected).toBeGreaterThan(0);
    expect((await client.usage.records.list({ category: 'sms' }))[0]!.count).toBe('4');
    expect((await operator.post('/usage/rebuild')).body).toEqual({ corrected: 0 });
    expect((await request(server).post('/v1/operator/usage/rebuild').auth(sid, 'x')).status).toBe(401);
  });
});
