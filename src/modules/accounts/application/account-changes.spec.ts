import pg from 'pg';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { type RunningModules, startModules } from '../../../../test/support/modules.js';
import type { IdPosition } from '../../../platform/http/twilio-list.js';
import { newId, parseSid, sidOf } from '../../../shared/sid.js';
import { AccountsModule } from '../accounts.module.js';
import { AccountsApi } from '../contract/accounts.api.js';
import { AccountsLog } from '../infrastructure/accounts.storage.js';
import { AssignPhoneNumber } from './assign-phone-number.js';
import { AwaitProvisioning } from './await-provisioning.js';
import { ChangeAccount } from './change-account.js';
import { ChangeOwnAccount } from './change-own-account.js';
import { ChangePhoneNumber } from './change-phone-number.js';
import { CompleteProvisioning } from './complete-provisioning.js';
import { CreateKey } from './create-key.js';
import { FindAccount } from './find-account.js';
import { ListAccounts } from './list-accounts.js';
import { ListKeys } from './list-keys.js';
import { ListPhoneNumbers } from './list-phone-numbers.js';
import { OpenAccount } from './open-account.js';
import { OpenDemoAccount } from './open-demo-account.js';
import { OpenSubaccount } from './open-subaccount.js';
import { ReadOwnAccounts } from './read-own-accounts.js';
import { ReadOwnKeys } from './read-own-keys.js';
import { ReadOwnNumbers } from './read-own-numbers.js';
import { RejectProvisioning } from './reject-provisioning.js';
import { ReleasePhoneNumber } from './release-phone-number.js';
import { RenameKey } from './rename-key.js';
import { RevokeKey } from './revoke-key.js';
import { RotateAuthToken } from './rotate-auth-token.js';

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

async function open(): Promise<string> {
  const { account } = await running.module.get(OpenAccount).open({ friendlyName: 'Acme', tier: 'pro' });
  return account.sid;
}

async function openActive(): Promise<string> {
  const sid = await open();
  await running.module.get(CompleteProvisioning).complete(sid);
  return sid;
}

const history = async (sid: string) =>
  (await running.module.get(AccountsLog).readStream(parseSid('AC', sid)!)).map((event) => ({
    version: event.version,
    type: event.type.replace(/^accounts\.|\.v1$/g, ''),
  }));

describe('the history of an account', () => {
  it('has one version per event, in order', async () => {
    const sid = await openActive();
    await running.module.get(ChangeAccount).change(sid, { tier: 'free', status: 'suspended' });
    await running.module.get(RotateAuthToken).rotate(sid);
    await running.module.get(AssignPhoneNumber).assign({ accountSid: sid, phoneNumber: '+1 (500) 555-2001' });
    const key = await running.module.get(CreateKey).create(sid, 'laptop');
    await running.module.get(RevokeKey).revoke(sid, key.sid);
    await running.module.get(ChangeAccount).change(sid, { status: 'closed' });
    const types = [
      'account-opened',
      'account-activated',
      'tier-changed',
      'account-suspended',
      'token-rotated',
      'phone-number-assigned',
      'key-created',
      'key-revoked',
      'account-closed',
    ];
    expect(await history(sid)).toEqual(types.map((type, index) => ({ version: index + 1, type })));
  });

  it('keeps its order when changes meet', async () => {
    const sid = await openActive();
    const tiers = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'free' : 'pro') as 'free' | 'pro');
    await Promise.all(tiers.map((tier) => running.module.get(ChangeAccount).change(sid, { tier })));
    const versions = (await history(sid)).map((event) => event.version);
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect(versions.length).toBeGreaterThan(2);
  });

  it('holds no event of a change that was refused', async () => {
    const sid = await openActive();
    const before = await history(sid);
    await expect(running.module.get(RevokeKey).revoke(sid, sidOf('SK', newId()))).rejects.toMatchObject({
      failure: 'not_found',
    });
    expect(await history(sid)).toEqual(before);
  });
});

describe('credentials at rest', () => {
  it('are sealed or hashed', async () => {
    const { account, authToken } = await running.module.get(OpenAccount).open({ friendlyName: 'Acme', tier: 'pro' });
    expect(authToken).toMatch(/^[0-9a-f]{32}$/);
    const key = await running.module.get(CreateKey).create(account.sid, '');
    expect(key.secret.length).toBeGreaterThanOrEqual(32);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const dump = await client.query<{ row: string }>(
      `select row_to_json(t)::text as row from (
          select encode(auth_token, 'escape') as secret, a::text as all from accounts.account a
          union all select encode(secret_hash, 'escape'), k::text from accounts.api_key k
          union all select data::text, e::text from accounts.event e
        ) t`,
    );
    await client.end();
    expect(dump.rows.length).toBeGreaterThanOrEqual(3);
    const hex = (text: string) => Buffer.from(text).toString('hex');
    for (const secret of [authToken, key.secret, hex(authToken), hex(key.secret)]) {
      for (const { row } of dump.rows) expect(row).not.toContain(secret);
    }
  });
});

describe('phone numbers', () => {
  const assign = (accountSid: string, phoneNumber: string) =>
    running.module.get(AssignPhoneNumber).assign({ accountSid, phoneNumber });

  it('belong to one account', async () => {
    const [first, second] = [await openActive(), await openActive()];
    const assigned = await assign(first, '+15005553001');
    expect(await assign(first, '+1 500 555 3001')).toEqual(assigned);
    await expect(assign(second, '+15005553001')).rejects.toMatchObject({ failure: 'conflict', field: 'phone_number' });
    expect(await running.module.get(ListPhoneNumbers).list(first, null, 10)).toEqual([assigned]);
    expect(await running.module.get(ListPhoneNumbers).list(second, null, 10)).toEqual([]);
  });

  it('go to one account where two want them at once', async () => {
    const sids = await Promise.all(Array.from({ length: 6 }, () => openActive()));
    const outcomes = await Promise.allSettled(sids.map((sid) => assign(sid, '+15005553002')));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  it('may be short codes', async () => {
    expect((await assign(await openActive(), '72345')).phoneNumber).toBe('72345');
  });

  it.each(['', '5005553003', '+1', 'ACME', '+1500555300x', '0', '1234567'])('are refused: %j', async (text) => {
    await expect(assign(await openActive(), text)).rejects.toMatchObject({
      failure: 'invalid_parameter',
      field: 'phone_number',
    });
  });
});

describe('a closed account', () => {
  it('gets nothing new', async () => {
    const sid = await openActive();
    await running.module.get(ChangeAccount).change(sid, { status: 'closed' });
    const refused = { failure: 'conflict' };
    await expect(running.module.get(CreateKey).create(sid, '')).rejects.toMatchObject(refused);
    await expect(running.module.get(RotateAuthToken).rotate(sid)).rejects.toMatchObject(refused);
    await expect(
      running.module.get(AssignPhoneNumber).assign({ accountSid: sid, phoneNumber: '+15005553004' }),
    ).rejects.toMatchObject(refused);
  });
});

describe('subaccounts', () => {
  const openUnder = (ownerAccountSid: string) =>
    running.module.get(OpenAccount).open({ friendlyName: 'Sub', tier: 'free', ownerAccountSid });

  it('have an owner that is active and nobody’s', async () => {
    const owner = await openActive();
    const { account } = await openUnder(owner);
    expect(account.ownerAccountSid).toBe(owner);
    await running.module.get(CompleteProvisioning).complete(account.sid);
    const field = 'owner_account_sid';
    await expect(openUnder(account.sid)).rejects.toMatchObject({ failure: 'conflict', field });
    await expect(openUnder(await open())).rejects.toMatchObject({ failure: 'conflict', field });
    await expect(openUnder(sidOf('AC', newId()))).rejects.toMatchObject({ failure: 'not_found', field });
    await expect(openUnder('nonsense')).rejects.toMatchObject({ failure: 'not_found', field });
  });

  it('are suspended and closed with their owner, and come back each for itself', async () => {
    const owner = await openActive();
    const [busy, idle] = [(await openUnder(owner)).account.sid, (await openUnder(owner)).account.sid];
    for (const sid of [busy, idle]) await running.module.get(CompleteProvisioning).complete(sid);
    const status = async (sid: string) => (await running.module.get(FindAccount).find(sid)).status;
    const all = () => Promise.all([owner, busy, idle].map(status));
    await running.module.get(ChangeAccount).change(idle, { status: 'suspended' });

    await running.module.get(ChangeAccount).change(owner, { status: 'suspended' });
    expect(await all()).toEqual(['suspended', 'suspended', 'suspended']);
    for (const sid of [busy, idle])
      expect((await history(sid)).at(-1)).toEqual({ version: 3, type: 'account-suspended' });

    await running.module.get(ChangeAccount).change(owner, { status: 'active' });
    expect(await all()).toEqual(['active', 'suspended', 'suspended']);
    await running.module.get(ChangeOwnAccount).change(owner, busy, { status: 'active' });
    await running.module.get(ChangeAccount).change(owner, { status: 'closed' });
    expect(await all()).toEqual(['closed', 'closed', 'closed']);
    expect(await running.module.get(FindAccount).find(busy)).toMatchObject({
      closeReason: 'closed by the operator, with its owner',
    });
  });

  it('keep their owner from being stopped only while they are being provisioned', async () => {
    const owner = await openActive();
    const { account } = await openUnder(owner);
    const stop = () => running.module.get(ChangeAccount).change(owner, { status: 'suspended' });
    await expect(stop()).rejects.toMatchObject({ failure: 'conflict' });
    expect(await running.module.get(FindAccount).find(owner)).toMatchObject({ status: 'active' });
    await running.module.get(CompleteProvisioning).complete(account.sid);
    expect(await stop()).toMatchObject({ status: 'suspended' });
  });
});

describe('what customers change', () => {
  const own = (caller: string, sid: string, patch: Parameters<ChangeOwnAccount['change']>[2]) =>
    running.module.get(ChangeOwnAccount).change(caller, sid, patch);
  const subaccountOf = async (owner: string) => {
    const { account } = await running.module
      .get(OpenAccount)
      .open({ friendlyName: 'Sub', tier: 'free', ownerAccountSid: owner });
    await running.module.get(CompleteProvisioning).complete(account.sid);
    return account.sid;
  };

  it('is a name, and the status of a subaccount, whose end says who ended it', async () => {
    const owner = await openActive();
    const sub = await subaccountOf(owner);
    expect(await running.module.get(AccountsApi).subaccountsOf({ accountSid: owner })).toEqual([sub]);
    expect(await own(owner, owner, { friendlyName: 'Acme Ltd' })).toMatchObject({ friendlyName: 'Acme Ltd' });
    expect(await own(sub, sub, { friendlyName: 'Mine', status: 'active' })).toMatchObject({ friendlyName: 'Mine' });
    expect(await own(owner, sub, { status: 'suspended' })).toMatchObject({ status: 'suspended' });
    expect(await own(owner, sub, { status: 'active' })).toMatchObject({ status: 'active' });
    expect(await own(owner, sub, { friendlyName: 'Gone', status: 'closed' })).toMatchObject({
      status: 'closed',
      closeReason: 'closed by its owner',
    });
    expect((await history(sub)).map(({ type }) => type)).toEqual([
      'account-opened',
      'account-activated',
      'account-renamed',
      'account-suspended',
      'account-reactivated',
      'account-renamed',
      'account-closed',
    ]);
    await expect(own(owner, sub, { status: 'active' })).rejects.toMatchObject({ failure: 'conflict' });
    await expect(own(owner, sub, { friendlyName: 'Again' })).rejects.toMatchObject({ failure: 'conflict' });
  });

  it('is nothing that an owner asks for who was stopped meanwhile', async () => {
    const owner = await openActive();
    const sub = await subaccountOf(owner);
    await running.module.get(ChangeAccount).change(owner, { status: 'suspended' });
    const asked = own(owner, sub, { status: 'active' });
    await expect(asked).rejects.toMatchObject({ failure: 'account_not_active' });
    expect(await running.module.get(FindAccount).find(sub)).toMatchObject({ status: 'suspended' });
  });

  it('is stopped with its owner, in whatever order they come', async () => {
    const owner = await openActive();
    const sub = await subaccountOf(owner);
    for (let round = 0; round < 10; round++) {
      await own(owner, sub, { status: 'suspended' });
      const [stopped] = await Promise.allSettled([
        running.module.get(ChangeAccount).change(owner, { status: 'suspended' }),
        own(owner, sub, { status: 'active' }),
      ]);
      expect(stopped.status).toBe('fulfilled');
      expect(await running.module.get(FindAccount).find(sub)).toMatchObject({ status: 'suspended' });
      await running.module.get(ChangeAccount).change(owner, { status: 'active' });
      await own(owner, sub, { status: 'active' });
    }
  });

  it('is nothing of another account, and no status of its own', async () => {
    const [owner, stranger] = [await openActive(), await openActive()];
    const sub = await subaccountOf(owner);
    const forbidden = { failure: 'forbidden' };
    for (const [caller, sid] of [
      [stranger, sub],
      [stranger, owner],
      [sub, owner],
    ] as const) {
      await expect(own(caller, sid, { friendlyName: 'Mine' })).rejects.toMatchObject(forbidden);
    }
    await expect(own(owner, owner, { status: 'closed' })).rejects.toMatchObject({ ...forbidden, field: 'Status' });
    await expect(own(sub, sub, { status: 'suspended' })).rejects.toMatchObject({ ...forbidden, field: 'Status' });
    await expect(running.module.get(OpenSubaccount).open(sub, 'Deeper')).rejects.toMatchObject(forbidden);
  });

  it('shows the tokens of an account and its subaccounts to its own holder, unless they open nothing', async () => {
    const owner = await openActive();
    const [first, second] = [await subaccountOf(owner), await subaccountOf(owner)];
    await own(owner, second, { status: 'closed' });
    const read = running.module.get(ReadOwnAccounts);
    const page = await read.page(owner, {}, {}, 10);
    expect(page.map(({ account, authToken }) => [account.sid, authToken === null])).toEqual([
      [second, true],
      [first, false],
      [owner, false],
    ]);
    const firstToken = page[1]!.authToken!;
    expect((await read.one(first)).authToken).toBe(firstToken);
    expect(await running.module.get(AccountsApi).authenticate({ username: first, password: firstToken })).toMatchObject(
      { accountSid: first },
    );
    const sids = async (filter: { statuses?: ['closed']; friendlyName?: string }, from: IdPosition) =>
      (await read.page(owner, filter, from, 10)).map(({ account }) => account.sid);
    expect(await sids({ statuses: ['closed'] }, {})).toEqual([second]);
    expect(await sids({ friendlyName: 'Acme' }, {})).toEqual([owner]);
    expect(await sids({}, { olderThan: page[0]!.id })).toEqual([first, owner]);
    expect(await sids({}, { newerThan: page[2]!.id })).toEqual([first, second]);
    expect(await read.page(first, {}, {}, 10)).toHaveLength(1);
  });

  it('is a key’s name', async () => {
    const sid = await openActive();
    const key = await running.module.get(CreateKey).create(sid, 'old');
    expect(await running.module.get(RenameKey).rename(sid, key.sid, 'new')).toMatchObject({ friendlyName: 'new' });
    await running.module.get(RevokeKey).revoke(sid, key.sid);
    for (const refused of [
      running.module.get(RenameKey).rename(sid, key.sid, 'newer'),
      running.module.get(ReadOwnKeys).one(sid, key.sid),
      running.module.get(RenameKey).rename(await openActive(), key.sid, 'theirs'),
    ]) {
      await expect(refused).rejects.toMatchObject({ failure: 'not_found' });
    }
    expect(await running.module.get(ReadOwnKeys).page(sid, {}, 10)).toEqual([]);
  });

  it('is at most a hundred keys', async () => {
    const sid = await openActive();
    const made = await Promise.allSettled(
      Array.from({ length: 102 }, () => running.module.get(CreateKey).create(sid, '')),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    await expect(running.module.get(CreateKey).create(sid, '')).rejects.toMatchObject({ failure: 'conflict' });
  });
});

describe('a number of an account', () => {
  const assign = (accountSid: string, phoneNumber: string) =>
    running.module.get(AssignPhoneNumber).assign({ accountSid, phoneNumber });
  const change = (...args: Parameters<ChangePhoneNumber['change']>) =>
    running.module.get(ChangePhoneNumber).change(...args);
  const known = async (phoneNumber: string) =>
    (await running.module.get(AccountsApi).findPhoneNumbers([phoneNumber]))[0];

  it('is asked where its account says, and forgets that with its owner', async () => {
    const sid = await openActive();
    const number = sidOf('PN', (await assign(sid, '+15005553101')).id);
    expect(await known('+15005553101')).toMatchObject({ smsUrl: null });
    const smsUrl = 'https://example.com/in?x=1';
    await change(sid, number, { smsUrl, smsMethod: 'GET', smsFallbackUrl: smsUrl, friendlyName: 'Desk' });
    expect(await known('+15005553101')).toMatchObject({ smsUrl, smsMethod: 'GET', smsFallbackUrl: smsUrl });
    await change(sid, number, { smsFallbackUrl: null });
    expect(await known('+15005553101')).toMatchObject({ smsUrl, smsMethod: 'GET', smsFallbackUrl: null });
    const other = await openActive();
    await expect(assign(other, '+15005553101')).rejects.toMatchObject({ failure: 'conflict' });
    await running.module.get(ChangeAccount).change(sid, { status: 'closed' });
    const moved = await assign(other, '+15005553101');
    expect(moved).toMatchObject({ friendlyName: null, smsUrl: null });
    expect(await known('+15005553101')).toMatchObject({ accountSid: other, smsUrl: null, smsMethod: 'POST' });
  });

  it.each([
    ['smsUrl', 'SmsUrl', 'ftp://example.com/'],
    ['smsUrl', 'SmsUrl', 'example.com'],
    ['smsFallbackUrl', 'SmsFallbackUrl', 'http://10.0.0.1/'],
  ])('cannot be asked where nobody can be: %s', async (name, field, url) => {
    const sid = await openActive();
    const number = sidOf('PN', (await assign(sid, '+15005553102').catch(() => assign(sid, '+15005553103'))).id);
    await expect(change(sid, number, { [name]: url })).rejects.toMatchObject({ failure: 'invalid_parameter', field });
    await running.module.get(ReleasePhoneNumber).release(sid, number);
  });

  it('is changed and released by its account alone', async () => {
    const [sid, stranger] = [await openActive(), await openActive()];
    const number = sidOf('PN', (await assign(sid, '+15005553104')).id);
    const release = (accountSid: string) => running.module.get(ReleasePhoneNumber).release(accountSid, number);
    await expect(change(stranger, number, { friendlyName: 'mine' })).rejects.toMatchObject({ failure: 'not_found' });
    await expect(release(stranger)).rejects.toMatchObject({ failure: 'not_found' });
    expect(await known('+15005553104')).toBeDefined();
    await release(sid);
    expect(await known('+15005553104')).toBeUndefined();
    await expect(release(sid)).rejects.toMatchObject({ failure: 'not_found' });
    expect((await assign(stranger, '+15005553104')).accountId).toBe(parseSid('AC', stranger));
  });

  it('is found by a part of it, and by its name', async () => {
    const sid = await openActive();
    for (const phoneNumber of ['+15005553111', '+15005553122', '72346']) await assign(sid, phoneNumber);
    const found = async (filter: { friendlyName?: string; part?: string }) =>
      (await running.module.get(ReadOwnNumbers).page(sid, filter, {}, 10)).map(({ phoneNumber }) => phoneNumber);
    expect(await found({})).toEqual(['72346', '+15005553122', '+15005553111']);
    expect(await found({ part: '31' })).toEqual(['+15005553122', '+15005553111']);
    expect(await found({ part: '3*22' })).toEqual(['+15005553122']);
    expect(await found({ part: '+15005553111' })).toEqual(['+15005553111']);
    expect(await found({ friendlyName: '72346' })).toEqual(['72346']);
  });
});

describe('waiting for an account to be provisioned', () => {
  const wait = (sid: string, withinMs: number) => running.module.get(AwaitProvisioning).wait(sid, withinMs);

  it('ends when it is active', async () => {
    const sid = await open();
    const waiting = wait(sid, 10_000);
    await running.module.get(CompleteProvisioning).complete(sid);
    expect(await waiting).toMatchObject({ sid, status: 'active' });
  });

  it('fails when it was refused, and says why', async () => {
    const sid = await open();
    const waiting = wait(sid, 10_000);
    await running.module.get(RejectProvisioning).reject(sid, 'no ledger for it');
    await expect(waiting).rejects.toMatchObject({ failure: 'conflict', message: expect.stringContaining('no ledger') });
  });

  it('gives up in time; the account is provisioned later', async () => {
    const sid = await open();
    await expect(wait(sid, 1)).rejects.toMatchObject({ failure: 'unavailable' });
    await running.module.get(CompleteProvisioning).complete(sid);
    expect(await wait(sid, 1)).toMatchObject({ status: 'active' });
  });

  it('does not wait for nobody', async () => {
    await expect(wait(sidOf('AC', newId()), 10_000)).rejects.toMatchObject({ failure: 'not_found' });
  });
});

describe('lists', () => {
  it('are pages, newest first', async () => {
    const sid = await openActive();
    const keys = [];
    for (let index = 0; index < 3; index++) keys.push(await running.module.get(CreateKey).create(sid, `key ${index}`));
    const names = async (afterId: string | null) =>
      (await running.module.get(ListKeys).list(sid, afterId, 2)).map((key) => key.friendlyName);
    expect(await names(null)).toEqual(['key 2', 'key 1']);
    expect(await names(parseSid('SK', keys[1]!.sid))).toEqual(['key 0']);
    await running.module.get(RevokeKey).revoke(sid, keys[0]!.sid);
    const [last] = await running.module.get(ListKeys).list(sid, parseSid('SK', keys[1]!.sid), 2);
    expect(last?.revokedAt).toBeInstanceOf(Date);
  });

  it('show accounts as they are', async () => {
    const sid = await openActive();
    const [newest] = await running.module.get(ListAccounts).list(null, 1);
    expect(newest).toEqual(await running.module.get(FindAccount).find(sid));
    expect(newest).toMatchObject({ sid, status: 'active', friendlyName: 'Acme' });
    await expect(running.module.get(FindAccount).find('nonsense')).rejects.toMatchObject({ failure: 'not_found' });
  });
});

describe('the demo account', () => {
  const demo = (input: { sid?: string; authToken?: string }) =>
    running.module.get(OpenDemoAccount).openDemoAccount(input);
  const ownerOfNumber = async () =>
    (await running.module.get(AccountsApi).findPhoneNumbers(['+15005550006']))[0]!.accountSid;

  it('is made once and found again', async () => {
    const [first, ...again] = await Promise.all([demo({}), demo({}), demo({})]);
    for (const found of [...again, await demo({})]) expect(found).toEqual(first);
    expect(await ownerOfNumber()).toBe(first.sid);
    const types = (await history(first.sid)).map((event) => event.type);
    expect(types).toEqual(['account-opened', 'phone-number-assigned']);
  });

  it('is the one that is asked for, with the token that is asked for, and has the number', async () => {
    const sid = sidOf('AC', newId());
    const authToken = 'Zz'.repeat(16);
    expect(await demo({ sid, authToken })).toMatchObject({ sid, authToken });
    expect(await demo({ sid })).toMatchObject({ sid, authToken });
    expect(await demo({ sid, authToken: '0'.repeat(32) })).toMatchObject({ sid, authToken: '0'.repeat(32) });
    expect(await ownerOfNumber()).toBe(sid);
  });
});
