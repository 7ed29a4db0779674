import { AccountsModule } from '../../src/modules/accounts/accounts.module.js';
import { AssignPhoneNumber } from '../../src/modules/accounts/application/assign-phone-number.js';
import { ChangeAccount } from '../../src/modules/accounts/application/change-account.js';
import { CreateKey } from '../../src/modules/accounts/application/create-key.js';
import { OpenAccount } from '../../src/modules/accounts/application/open-account.js';
import { AccountsApi, accountsContract } from '../../src/modules/accounts/contract/accounts.api.js';
import { newId, sidOf } from '../../src/shared/sid.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { type RunningModules, startModules } from '../support/modules.js';
import { WAYS } from './over-the-wire.js';

let numbers = 0;
let database: TestDatabase;
let running: RunningModules;

beforeAll(async () => {
  database = await startTestDatabase(['accounts']);
  running = await startModules(database.url, [AccountsModule], { consumers: false });
});

afterAll(async () => {
  await running?.close();
  await database?.stop();
});

describe.each(WAYS)('AccountsApi %s', (_, reach) => {
  let accounts: AccountsApi;

  beforeAll(() => {
    accounts = reach<AccountsApi>(running.module.get(AccountsApi), accountsContract);
  });

  const open = async () => {
    const { account, authToken } = await running.module.get(OpenAccount).open({ friendlyName: 'Acme', tier: 'pro' });
    return { sid: account.sid, authToken };
  };
  const openActive = async () => {
    const opened = await open();
    await accounts.completeProvisioning({ accountSid: opened.sid });
    return opened;
  };

  it('authenticates an account by its token', async () => {
    const { sid, authToken } = await openActive();
    expect(await accounts.authenticate({ username: sid, password: authToken })).toEqual({
      accountSid: sid,
      status: 'active',
      tier: 'pro',
      credential: 'auth_token',
      messagesPerMinute: null,
      messagesPerSecond: null,
      messagesPerDay: null,
      unknownOutcome: 'fail',
    });
  });

  it('authenticates an account by an API key', async () => {
    const { sid } = await openActive();
    const key = await running.module.get(CreateKey).create(sid, 'laptop');
    const principal = await accounts.authenticate({ username: key.sid, password: key.secret });
    expect(principal).toMatchObject({ accountSid: sid, credential: 'api_key' });
  });

  it('knows nobody by wrong credentials', async () => {
    const { sid, authToken } = await openActive();
    const key = await running.module.get(CreateKey).create(sid, 'laptop');
    const wrong: [string, string][] = [
      [sid, authToken.toUpperCase().replace(/[A-F]/, 'g')],
      [sid, ''],
      [sid, `${authToken} `],
      [sid, key.secret],
      [key.sid, authToken],
      [key.sid, ''],
      [sidOf('AC', newId()), authToken],
      [sidOf('SK', newId()), key.secret],
      [sidOf('AC', newId()), ''],
      ['', ''],
      ['AC', authToken],
    ];
    for (const [username, password] of wrong) {
      expect(await accounts.authenticate({ username, password })).toBeNull();
    }
  });

  it('tells by the status which accounts are not active, and does not know closed ones', async () => {
    const { sid, authToken } = await open();
    const status = async () => (await accounts.authenticate({ username: sid, password: authToken }))?.status;
    expect(await status()).toBe('provisioning');
    await accounts.completeProvisioning({ accountSid: sid });
    expect(await status()).toBe('active');
    await running.module.get(ChangeAccount).change(sid, { status: 'suspended' });
    expect(await status()).toBe('suspended');
    await running.module.get(ChangeAccount).change(sid, { status: 'closed' });
    expect(await status()).toBeUndefined();
    expect((await accounts.getAccount({ accountSid: sid }))?.status).toBe('closed');
  });

  it('shows an account', async () => {
    const { sid } = await openActive();
    expect(await accounts.getAccount({ accountSid: sid })).toEqual({
      sid,
      friendlyName: 'Acme',
      tier: 'pro',
      status: 'active',
      closeReason: null,
      ownerAccountSid: null,
      messagesPerMinute: null,
      messagesPerSecond: null,
      messagesPerDay: null,
      unknownOutcome: 'fail',
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect(await accounts.getAccount({ accountSid: sidOf('AC', newId()) })).toBeNull();
    expect(await accounts.getAccount({ accountSid: 'nonsense' })).toBeNull();
  });

  it('knows which account owns a number', async () => {
    const [owner, other] = [await openActive(), await openActive()];
    const phoneNumber = `+150055501${++numbers + 10}`;
    expect(await accounts.ownsNumber({ accountSid: owner.sid, phoneNumber })).toBe(false);
    await running.module.get(AssignPhoneNumber).assign({ accountSid: owner.sid, phoneNumber });
    expect(await accounts.ownsNumber({ accountSid: owner.sid, phoneNumber })).toBe(true);
    expect(await accounts.ownsNumber({ accountSid: other.sid, phoneNumber })).toBe(false);
    expect(await accounts.ownsNumber({ accountSid: 'nonsense', phoneNumber })).toBe(false);
  });

  it('tells whom numbers ask about incoming messages', async () => {
    const owner = await openActive();
    const phoneNumber = `+150055502${++numbers + 10}`;
    await running.module.get(AssignPhoneNumber).assign({ accountSid: owner.sid, phoneNumber });
    const [found, ...others] = await accounts.findPhoneNumbers([phoneNumber, phoneNumber, '+15005550299', 'nonsense']);
    expect(others).toEqual([]);
    expect(found).toEqual({
      phoneNumber,
      sid: expect.stringMatching(/^PN[0-9a-f]{32}$/),
      accountSid: owner.sid,
      smsUrl: null,
      smsMethod: 'POST',
      smsFallbackUrl: null,
      smsFallbackMethod: 'POST',
      accountStatus: 'active',
    });
    await running.module.get(ChangeAccount).change(owner.sid, { status: 'suspended' });
    expect(await accounts.findPhoneNumbers([phoneNumber])).toMatchObject([{ accountStatus: 'suspended' }]);
    expect(await accounts.findPhoneNumbers([])).toEqual([]);
  });

  it('finds a number of an account by its SID', async () => {
    const [owner, other] = [await openActive(), await openActive()];
    const phoneNumber = `+150055501${++numbers + 10}`;
    const assigned = await running.module.get(AssignPhoneNumber).assign({ accountSid: owner.sid, phoneNumber });
    const phoneNumberSid = sidOf('PN', assigned.id);
    const found = (accountSid: string, sid = phoneNumberSid) =>
      accounts.getPhoneNumber({ accountSid, phoneNumberSid: sid });
    expect(await found(owner.sid)).toEqual({ sid: phoneNumberSid, phoneNumber });
    expect(await found(other.sid)).toBeNull();
    expect(await found(owner.sid, sidOf('PN', newId()))).toBeNull();
    expect(await found(owner.sid, 'nonsense')).toBeNull();
    expect(await found('nonsense')).toBeNull();
  });

  it('gives the keys that sign, for the accounts it knows', async () => {
    const [first, second] = [await openActive(), await openActive()];
    expect(await accounts.signingKeys([first.sid, sidOf('AC', newId()), 'nonsense', second.sid])).toEqual({
      [first.sid]: first.authToken,
      [second.sid]: second.authToken,
    });
    expect(await accounts.signingKeys([])).toEqual({});
  });

  it('closes an account that billing refuses', async () => {
    const { sid } = await open();
    await accounts.rejectProvisioning({ accountSid: sid, reason: 'no ledger' });
    expect(await accounts.getAccount({ accountSid: sid })).toMatchObject({
      status: 'closed',
      closeReason: 'no ledger',
    });
    await accounts.completeProvisioning({ accountSid: sid });
    expect(await accounts.getAccount({ accountSid: sid })).toMatchObject({ status: 'closed' });
  });

  it('refuses reports that cannot be', async () => {
    const { sid } = await openActive();
    const unknown = sidOf('AC', newId());
    await expect(accounts.rejectProvisioning({ accountSid: sid, reason: 'late' })).rejects.toMatchObject({
      failure: 'conflict',
    });
    await expect(accounts.rejectProvisioning({ accountSid: unknown, reason: '' })).rejects.toMatchObject({
      failure: 'not_found',
    });
    await expect(accounts.completeProvisioning({ accountSid: unknown })).rejects.toMatchObject({
      failure: 'not_found',
    });
  });
});
