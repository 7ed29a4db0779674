import { isFailure } from '../../../shared/failure.js';
import { type AccountPatch, type AccountState, activate, amend, reject } from './account.js';

const SID = 'AC01900000000070008000000000000001';
const GIVEN: AccountState = {
  id: '01900000-0000-7000-8000-000000000001',
  friendlyName: 'Acme',
  tier: 'pro',
  status: 'active',
  closeReason: null,
  ownerId: null,
  messagesPerMinute: null,
  messagesPerSecond: null,
  messagesPerDay: null,
  unknownOutcome: 'fail',
  version: 2,
  createdAt: new Date(0),
  updatedAt: new Date(0),
};

const given = (change: Partial<AccountState>): AccountState => ({ ...GIVEN, ...change });

describe('an account that is being provisioned', () => {
  const account = given({ status: 'provisioning', version: 1 });

  it('becomes active when its ledger is open', () => {
    const { account: after, facts } = activate(account);
    expect(after.status).toBe('active');
    expect(facts).toEqual([{ type: 'accounts.account-activated.v1', data: { accountSid: SID } }]);
  });

  it('is closed with the reason when its ledger cannot be opened', () => {
    const { account: after, facts } = reject(account, 'no ledger');
    expect(after).toMatchObject({ status: 'closed', closeReason: 'no ledger' });
    expect(facts).toEqual([{ type: 'accounts.account-closed.v1', data: { accountSid: SID, reason: 'no ledger' } }]);
  });

  it.each(['active', 'suspended', 'closed'] as const)('cannot be made %s by an operator', (status) => {
    expectConflict(() => amend(account, { status }), 'status');
  });

  it('takes another tier', () => {
    expect(amend(account, { tier: 'free' }).account).toMatchObject({ tier: 'free', status: 'provisioning' });
  });
});

describe('what billing reports twice', () => {
  it.each(['active', 'suspended', 'closed'] as const)('does nothing to an account that is %s', (status) => {
    expect(activate(given({ status }))).toEqual({ account: given({ status }), facts: [] });
  });

  it('does nothing to an account that was rejected', () => {
    const account = given({ status: 'closed', closeReason: 'no ledger' });
    expect(reject(account, 'another reason')).toEqual({ account, facts: [] });
  });

  it('cannot reject an account in use', () => {
    expectConflict(() => reject(GIVEN, 'too late'));
  });
});

describe('what an operator changes', () => {
  const cases: [string, AccountPatch, string, object][] = [
    ['the tier', { tier: 'enterprise' }, 'accounts.tier-changed.v1', { tier: 'enterprise' }],
    ['a limit', { messagesPerMinute: 5 }, 'accounts.tier-changed.v1', { messagesPerMinute: 5 }],
    ['the policy', { unknownOutcome: 'retry' }, 'accounts.tier-changed.v1', { unknownOutcome: 'retry' }],
    ['the status', { status: 'suspended' }, 'accounts.account-suspended.v1', {}],
    ['the status for good', { status: 'closed' }, 'accounts.account-closed.v1', { reason: 'closed by the operator' }],
  ];

  it.each(cases)('is told by an event: %s', (_, patch, type, data) => {
    const { account, facts } = amend(GIVEN, patch);
    expect(account).toMatchObject(patch);
    expect(facts).toEqual([{ type, data: expect.objectContaining({ accountSid: SID, ...data }) }]);
  });

  it('is told by two events where it is two things', () => {
    const { facts } = amend(GIVEN, { tier: 'free', status: 'suspended' });
    expect(facts.map((fact) => fact.type)).toEqual(['accounts.tier-changed.v1', 'accounts.account-suspended.v1']);
  });

  it('may be undone: a suspended account is active again', () => {
    const { account, facts } = amend(given({ status: 'suspended' }), { status: 'active' });
    expect(account.status).toBe('active');
    expect(facts.map((fact) => fact.type)).toEqual(['accounts.account-reactivated.v1']);
  });

  it('takes a figure of its own away', () => {
    expect(amend(given({ messagesPerDay: 7 }), { messagesPerDay: null }).account.messagesPerDay).toBeNull();
  });

  it('is nothing where all is so already', () => {
    expect(amend(GIVEN, { tier: 'pro', status: 'active', messagesPerMinute: null })).toEqual({
      account: GIVEN,
      facts: [],
    });
  });

  it.each<AccountPatch>([{ tier: 'free' }, { status: 'active' }, { unknownOutcome: 'retry' }])(
    'cannot be anything of a closed account: %j',
    (patch) => {
      expectConflict(() => amend(given({ status: 'closed' }), patch));
    },
  );
});

function expectConflict(decide: () => unknown, field?: string): void {
  try {
    decide();
  } catch (error) {
    if (!isFailure(error, 'conflict')) throw error;
    if (field !== undefined) expect(error.field).toBe(field);
    return;
  }
  throw new Error('the decision was allowed');
}
