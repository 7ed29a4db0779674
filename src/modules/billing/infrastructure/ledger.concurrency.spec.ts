import fc from 'fast-check';
import { newId } from '../../../shared/sid.js';
import { BillingDatabase } from './billing.storage.js';
import { LedgerRepository, type Reserved } from './ledger.repository.js';
import { charge, LedgerUnderTest } from './ledger.test-support.js';
import { LedgerCheckRepository } from './ledger-check.repository.js';

let under: LedgerUnderTest;

beforeAll(async () => {
  under = await LedgerUnderTest.start();
});

afterAll(() => under?.stop());

const KEYS = 40;
const POOLS = 3;
const amount = fc.integer({ min: 0, max: 300 });
const keyIndex = fc.nat(KEYS - 1);
const reserveGroup = fc.array(fc.tuple(keyIndex, amount), { minLength: 1, maxLength: 25 });
const settleGroup = fc.array(fc.tuple(keyIndex, fc.constantFrom('post' as const, 'void' as const)), {
  minLength: 1,
  maxLength: 25,
});
const scenario = fc.record({
  balances: fc.tuple(fc.nat(1500), fc.nat(1500), fc.constant(1_000_000)),
  groups: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ reserve: reserveGroup }) },
      { weight: 2, arbitrary: fc.record({ settle: settleGroup }) },
    ),
    { minLength: 20, maxLength: 40 },
  ),
});

/** What the answers say of one key. */
interface Told {
  readonly amounts: Set<number>;
  readonly kinds: Set<'post' | 'void'>;
  readonly states: Set<Reserved['state']>;
}

describe('groups from several processes at once', () => {
  let pools: BillingDatabase[];

  beforeAll(() => {
    pools = Array.from({ length: POOLS }, () => {
      return new BillingDatabase({ module: 'billing', connectionString: under.url, dataConnections: 2 });
    });
  });

  afterAll(() => Promise.all(pools.map((pool) => pool.close())));

  it('never overdraw, never deadlock, and leave what their answers say', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ balances, groups }) => {
        const ids = await Promise.all(balances.map((balance) => under.openWith(balance)));
        const keys = Array.from({ length: KEYS }, () => newId());
        const told = keys.map((): Told => ({ amounts: new Set(), kinds: new Set(), states: new Set() }));
        const ownerOf = (key: number) => ids[key % ids.length]!;
        const waiting = [...groups];
        const work = async (repository: LedgerRepository) => {
          for (let group = waiting.shift(); group; group = waiting.shift()) {
            if ('reserve' in group) {
              const items = group.reserve.map(([key, micros]) => charge(ownerOf(key), micros, keys[key]));
              const states = await repository.reserve(items);
              states.forEach((reserved, index) => {
                const one = told[group.reserve[index]![0]]!;
                one.states.add(reserved.state);
                if (reserved.state === 'reserved') one.amounts.add(reserved.amountMicros);
              });
            } else {
              const kinds = await repository.settle(group.settle.map(([key, kind]) => ({ key: keys[key]!, kind })));
              kinds.forEach((kind, index) => {
                if (kind) told[group.settle[index]![0]]!.kinds.add(kind);
              });
            }
          }
        };
        await Promise.all(
          pools.flatMap((pool) => [work(new LedgerRepository(pool)), work(new LedgerRepository(pool))]),
        );
        await expectModel(ids, balances, told);
      }),
      { numRuns: 15, endOnFailure: true },
    );
    const { accounts: wrong, resolutions, sumMicros } = await new LedgerCheckRepository(under.db).check();
    expect({ wrong, resolutions, sumMicros }).toEqual({ wrong: [], resolutions: [], sumMicros: '0' });
  });

  async function expectModel(ids: string[], balances: readonly number[], told: readonly Told[]): Promise<void> {
    const expected = balances.map((balance) => ({ balance, reserved: 0 }));
    told.forEach(({ amounts, kinds, states }, key) => {
      expect(amounts.size).toBeLessThanOrEqual(1);
      expect(kinds.size).toBeLessThanOrEqual(1);
      if (states.has('already_resolved')) expect(kinds.size).toBe(1);
      // The third account could pay for everything.
      if (key % ids.length === 2) expect(states.has('insufficient_balance')).toBe(false);
      const [micros] = amounts;
      if (micros === undefined) {
        expect(kinds.size).toBe(0);
        return;
      }
      const account = expected[key % ids.length]!;
      if (kinds.has('post')) account.balance -= micros;
      if (kinds.size === 0) account.reserved += micros;
    });
    expect(await Promise.all(ids.map((id) => under.balanceOf(id)))).toEqual(expected);
    for (const { balance, reserved } of expected) expect(balance - reserved).toBeGreaterThanOrEqual(0);
  }
});
