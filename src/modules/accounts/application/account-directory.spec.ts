import { jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { eventually } from '../../../../test/support/eventually.js';
import { type RunningModules, startModules } from '../../../../test/support/modules.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { AccountsModule } from '../accounts.module.js';
import { AccountsApi } from '../contract/accounts.api.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountDirectory } from './account-directory.js';
import { AssignPhoneNumber } from './assign-phone-number.js';
import { ChangeAccount } from './change-account.js';
import { CompleteProvisioning } from './complete-provisioning.js';
import { CreateKey } from './create-key.js';
import { OpenAccount } from './open-account.js';
import { RevokeKey } from './revoke-key.js';
import { RotateAuthToken } from './rotate-auth-token.js';

let database: TestDatabase;
/** Two processes: what one changes, the other must see. */
let here: RunningModules;
let there: RunningModules;

beforeAll(async () => {
  database = await startTestDatabase(['accounts']);
  here = await startModules(database.url, [AccountsModule], { consumers: false });
  there = await startModules(database.url, [AccountsModule], { consumers: false });
});

afterAll(async () => {
  await here?.close();
  await there?.close();
  await database?.stop();
});

afterEach(() => jest.restoreAllMocks());

async function open(): Promise<{ sid: string; authToken: string }> {
  const { account, authToken } = await here.module.get(OpenAccount).open({ friendlyName: 'Acme', tier: 'pro' });
  await here.module.get(CompleteProvisioning).complete(account.sid);
  return { sid: account.sid, authToken };
}

const api = (process: RunningModules) => process.module.get(AccountsApi);
const loads = (process: RunningModules) => {
  const repository = process.module.get(AccountsRepository);
  return [jest.spyOn(repository, 'find'), jest.spyOn(repository, 'findKey'), jest.spyOn(repository, 'findNumbers')];
};
const countOf = (spies: ReturnType<typeof loads>) => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);

describe('a warm directory', () => {
  it('asks the database nothing to authenticate, to find a sender or to sign', async () => {
    const { sid, authToken } = await open();
    const key = await here.module.get(CreateKey).create(sid, '');
    await here.module.get(AssignPhoneNumber).assign({ accountSid: sid, phoneNumber: '+15005551001' });
    const ask = async () => [
      await api(here).authenticate({ username: sid, password: authToken }),
      await api(here).authenticate({ username: key.sid, password: key.secret }),
      await api(here).authenticate({ username: sid, password: 'wrong' }),
      await api(here).ownsNumber({ accountSid: sid, phoneNumber: '+15005551001' }),
      await api(here).findPhoneNumbers(['+15005551001', '+15005551999']),
      await api(here).signingKeys([sid]),
      await api(here).getAccount({ accountSid: sid }),
    ];
    const first = await ask();
    const spies = loads(here);
    expect(await ask()).toEqual(first);
    expect(countOf(spies)).toBe(0);
  });

  it('shares one load among all who miss at once', async () => {
    const { sid, authToken } = await open();
    here.module.get(AccountDirectory).lost();
    const spies = loads(here);
    const asked = Array.from({ length: 50 }, () => api(here).authenticate({ username: sid, password: authToken }));
    for (const principal of await Promise.all(asked)) expect(principal?.accountSid).toBe(sid);
    expect(countOf(spies)).toBe(1);
  });

  it('asks for many numbers at once', async () => {
    const { sid } = await open();
    const numbers = ['+15005551101', '+15005551102', '+15005551103'];
    for (const phoneNumber of numbers) {
      await here.module.get(AssignPhoneNumber).assign({ accountSid: sid, phoneNumber });
    }
    here.module.get(AccountDirectory).lost();
    const spies = loads(here);
    const found = await api(here).findPhoneNumbers([...numbers, ...numbers, '+15005551104', 'nonsense']);
    expect(found.map(({ phoneNumber }) => phoneNumber).sort()).toEqual(numbers);
    expect(spies[2]).toHaveBeenCalledTimes(1);
    await expect(api(here).findPhoneNumbers(new Array(1001).fill('+15005551101'))).rejects.toMatchObject({
      failure: 'invalid_parameter',
    });
  });

  it('remembers for a while who is unknown', async () => {
    const credentials = { username: sidOf('AC', newId()), password: 'any' };
    expect(await api(here).authenticate(credentials)).toBeNull();
    const spies = loads(here);
    expect(await api(here).authenticate(credentials)).toBeNull();
    expect(countOf(spies)).toBe(0);
  });

  it('does not keep what changed while it was loaded', async () => {
    const { sid, authToken } = await open();
    const directory = here.module.get(AccountDirectory);
    directory.lost();
    const repository = here.module.get(AccountsRepository);
    const find = repository.find.bind(repository);
    jest.spyOn(repository, 'find').mockImplementationOnce(async (id) => {
      const old = await find(id);
      await here.module.get(ChangeAccount).change(sid, { status: 'suspended' });
      return old;
    });
    await api(here).authenticate({ username: sid, password: authToken });
    expect((await api(here).authenticate({ username: sid, password: authToken }))?.status).toBe('suspended');
  });

  it('says that it cannot tell when the database cannot', async () => {
    const { sid, authToken } = await open();
    here.module.get(AccountDirectory).lost();
    jest.spyOn(here.module.get(AccountsRepository), 'find').mockRejectedValueOnce(new Error('gone'));
    await expect(api(here).authenticate({ username: sid, password: authToken })).rejects.toThrow('gone');
    expect(await api(here).authenticate({ username: sid, password: authToken })).not.toBeNull();
  });
});

describe('a change', () => {
  const changes: [string, (sid: string) => Promise<unknown>, object][] = [
    [
      'suspension',
      (sid) => here.module.get(ChangeAccount).change(sid, { status: 'suspended' }),
      { status: 'suspended' },
    ],
    ['tier', (sid) => here.module.get(ChangeAccount).change(sid, { tier: 'free' }), { tier: 'free' }],
    ['limit', (sid) => here.module.get(ChangeAccount).change(sid, { messagesPerMinute: 7 }), { messagesPerMinute: 7 }],
  ];

  it.each(changes)('of the %s is seen at once in its process, and soon in every other', async (_, change, expected) => {
    const { sid, authToken } = await open();
    const key = await here.module.get(CreateKey).create(sid, '');
    const ask = async (process: RunningModules) => [
      await api(process).authenticate({ username: sid, password: authToken }),
      await api(process).authenticate({ username: key.sid, password: key.secret }),
    ];
    await ask(here);
    await ask(there);
    await change(sid);
    for (const principal of await ask(here)) expect(principal).toMatchObject(expected);
    await eventually(async () => {
      for (const principal of await ask(there)) expect(principal).toMatchObject(expected);
      return true;
    });
  });

  it('of the token voids the old one, for requests and signatures', async () => {
    const { sid, authToken } = await open();
    const ask = async (process: RunningModules, password: string) =>
      (await api(process).authenticate({ username: sid, password })) !== null;
    expect(await ask(there, authToken)).toBe(true);
    expect(await ask(here, authToken)).toBe(true);
    const rotated = await here.module.get(RotateAuthToken).rotate(sid);
    expect([await ask(here, authToken), await ask(here, rotated)]).toEqual([false, true]);
    await eventually(async () => {
      expect([await ask(there, authToken), await ask(there, rotated)]).toEqual([false, true]);
      expect(await api(there).signingKeys([sid])).toEqual({ [sid]: rotated });
      return true;
    });
  });

  it('of the keys is seen: made and revoked', async () => {
    const { sid } = await open();
    const key = await here.module.get(CreateKey).create(sid, '');
    const ask = async (process: RunningModules) =>
      (await api(process).authenticate({ username: key.sid, password: key.secret })) !== null;
    expect([await ask(here), await ask(there)]).toEqual([true, true]);
    await here.module.get(RevokeKey).revoke(sid, key.sid);
    expect(await ask(here)).toBe(false);
    await eventually(async () => !(await ask(there)));
  });

  it('of a number is seen, though it was unknown a moment before', async () => {
    const { sid } = await open();
    const query = { accountSid: sid, phoneNumber: '+15005551002' };
    expect([await api(here).ownsNumber(query), await api(there).ownsNumber(query)]).toEqual([false, false]);
    await here.module.get(AssignPhoneNumber).assign(query);
    expect(await api(here).ownsNumber(query)).toBe(true);
    await eventually(() => api(there).ownsNumber(query));
  });

  it('that closes an account lets nobody in', async () => {
    const { sid, authToken } = await open();
    const key = await here.module.get(CreateKey).create(sid, '');
    await here.module.get(ChangeAccount).change(sid, { status: 'closed' });
    expect(await api(here).authenticate({ username: sid, password: authToken })).toBeNull();
    expect(await api(here).authenticate({ username: key.sid, password: key.secret })).toBeNull();
  });
});
