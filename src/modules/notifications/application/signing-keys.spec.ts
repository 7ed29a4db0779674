import type { StoredEvent } from '../../../shared/define-event.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { tokenRotated } from '../../accounts/contract/accounts.events.js';
import { SigningKeys } from './signing-keys.js';

const ID = newId();
const SID = sidOf('AC', ID);
const ROTATED: StoredEvent = {
  type: tokenRotated.type,
  streamId: ID,
  version: 2,
  tenantId: ID,
  position: 2,
  occurredAt: new Date(),
  data: { accountSid: SID },
};

/** Accounts with keys that the test sets; everything else of the contract is never called. */
function accountsWith(keys: Record<string, string>): { accounts: AccountsApi; asked: string[][] } {
  const asked: string[][] = [];
  const signingKeys = async (sids: readonly string[]) => {
    asked.push([...sids]);
    if (keys.gone) throw new Error('gone');
    return Object.fromEntries(sids.flatMap((sid) => (keys[sid] === undefined ? [] : [[sid, keys[sid]]])));
  };
  const accounts = Object.assign(Object.create(AccountsApi.prototype) as AccountsApi, { signingKeys });
  return { accounts, asked };
}

describe('signing keys', () => {
  it('are asked for together, and once', async () => {
    const { accounts, asked } = accountsWith({ [SID]: 'key', other: 'another' });
    const keys = new SigningKeys(accounts);
    expect(await Promise.all([SID, 'other', SID, 'nobody'].map((sid) => keys.keyOf(sid)))).toEqual([
      'key',
      'another',
      'key',
      null,
    ]);
    expect(await keys.keyOf(SID)).toBe('key');
    expect(asked).toEqual([[SID, 'other', 'nobody']]);
  });

  it('are asked for at most a thousand at a time', async () => {
    const { accounts, asked } = accountsWith({});
    const keys = new SigningKeys(accounts);
    await Promise.all(Array.from({ length: 2_500 }, (_, i) => keys.keyOf(`AC${i}`)));
    expect(asked.map((sids) => sids.length)).toEqual([1_000, 1_000, 500]);
  });

  it('are forgotten when the account changes, and when in doubt', async () => {
    const known = { [SID]: 'old' };
    const keys = new SigningKeys(accountsWith(known).accounts);
    await keys.keyOf(SID);
    known[SID] = 'new';
    expect(await keys.keyOf(SID)).toBe('old');
    keys.on([ROTATED]);
    expect(await keys.keyOf(SID)).toBe('new');
    known[SID] = 'newest';
    keys.lost();
    expect(await keys.keyOf(SID)).toBe('newest');
  });

  it('that were on their way when they changed are used and not kept', async () => {
    const known = { [SID]: 'old' };
    const keys = new SigningKeys(accountsWith(known).accounts);
    const asked = keys.keyOf(SID);
    await new Promise(setImmediate);
    known[SID] = 'new';
    keys.on([ROTATED]);
    expect(await asked).toBe('old');
    expect(await keys.keyOf(SID)).toBe('new');
  });

  it('are missing for a moment only when accounts are gone', async () => {
    const known: Record<string, string> = { gone: 'yes', [SID]: 'key' };
    const keys = new SigningKeys(accountsWith(known).accounts);
    await expect(Promise.all([keys.keyOf(SID), keys.keyOf(SID)])).rejects.toThrow('gone');
    delete known.gone;
    expect(await keys.keyOf(SID)).toBe('key');
  });
});
