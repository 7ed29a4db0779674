import { newId } from '../../../shared/sid.js';
import { REVENUE_ID } from '../domain/ledger.js';
import type { BillingDatabase } from './billing.storage.js';
import { LedgerRepository, type Reservation } from './ledger.repository.js';
import { charge, LedgerUnderTest } from './ledger.test-support.js';

let under: LedgerUnderTest;

beforeAll(async () => {
  under = await LedgerUnderTest.start();
});

afterAll(() => under?.stop());

const openWith = (balanceMicros: number) => under.openWith(balanceMicros);
const balanceOf = (accountId: string) => under.balanceOf(accountId);
const statesOf = async (items: Reservation[]) => (await under.ledger.reserve(items)).map(({ state }) => state);
const settle = (kind: 'post' | 'void', ...keys: string[]) => under.ledger.settle(keys.map((key) => ({ key, kind })));

describe('a reservation', () => {
  it('sets aside what it costs', async () => {
    const id = await openWith(1000);
    expect(await under.ledger.reserve([charge(id, 300)])).toEqual([{ state: 'reserved', amountMicros: 300 }]);
    expect(await balanceOf(id)).toEqual({ balance: 1000, reserved: 300 });
  });

  it('takes the last micro-unit, and not one more', async () => {
    const id = await openWith(1000);
    expect(await statesOf([charge(id, 1000)])).toEqual(['reserved']);
    expect(await statesOf([charge(id, 1)])).toEqual(['insufficient_balance']);
    expect(await statesOf([charge(id, 0)])).toEqual(['reserved']);
  });

  it('leaves the limit of the account alone', async () => {
    const id = await openWith(1000);
    await under.db.query('update billing.ledger_account set limit_micros = 400 where id = $1', [id]);
    expect(await statesOf([charge(id, 601), charge(id, 600)])).toEqual(['insufficient_balance', 'reserved']);
  });

  it('is refused without a ledger, and in the ledger’s own accounts', async () => {
    expect(await statesOf([charge(newId(), 1), charge(REVENUE_ID, 1)])).toEqual(['no_ledger', 'no_ledger']);
  });

  it('of nothing is nothing', async () => {
    expect(await under.ledger.reserve([])).toEqual([]);
    expect(await under.ledger.settle([])).toEqual([]);
  });
});

describe('a group of reservations', () => {
  it('is served in its order, and goes on after what is not covered', async () => {
    const id = await openWith(100);
    const amounts = [60, 50, 40, 1, 0];
    expect(await statesOf(amounts.map((amount) => charge(id, amount)))).toEqual([
      'reserved',
      'insufficient_balance',
      'reserved',
      'insufficient_balance',
      'reserved',
    ]);
  });

  it('finds room for what fits after several that do not', async () => {
    const id = await openWith(100);
    const amounts = [90, 80, 9, 8, 1, 1];
    expect(await statesOf(amounts.map((amount) => charge(id, amount)))).toEqual([
      'reserved',
      'insufficient_balance',
      'reserved',
      'insufficient_balance',
      'reserved',
      'insufficient_balance',
    ]);
    expect(await balanceOf(id)).toEqual({ balance: 100, reserved: 100 });
  });

  it('lets each fail alone: other accounts do not notice', async () => {
    const [poor, rich] = [await openWith(10), await openWith(1000)];
    const states = await statesOf([charge(poor, 11), charge(rich, 5), charge(newId(), 5), charge(rich, 5)]);
    expect(states).toEqual(['insufficient_balance', 'reserved', 'no_ledger', 'reserved']);
    expect(await balanceOf(rich)).toEqual({ balance: 1000, reserved: 10 });
  });

  it('asks the database twice where not everything can be covered', async () => {
    const id = await openWith(100);
    let statements = 0;
    const counting = {
      query: (...query: Parameters<BillingDatabase['query']>) => {
        statements++;
        return under.db.query(...query);
      },
    };
    const counted = new LedgerRepository(counting as BillingDatabase);
    const states = await counted.reserve(Array.from({ length: 200 }, () => charge(id, 30)));
    expect(states.filter(({ state }) => state === 'reserved')).toHaveLength(3);
    expect(statements).toBe(2);
  });

  it('may name a key twice', async () => {
    const id = await openWith(100);
    const key = newId();
    const items = [charge(id, 40, key), charge(id, 40, key), charge(id, 50, key), charge(id, 60)];
    expect(await under.ledger.reserve(items)).toEqual([
      { state: 'reserved', amountMicros: 40 },
      { state: 'reserved', amountMicros: 40 },
      { state: 'reserved', amountMicros: 40 },
      { state: 'reserved', amountMicros: 60 },
    ]);
    expect(await balanceOf(id)).toEqual({ balance: 100, reserved: 100 });
  });
});

describe('the key of a reservation', () => {
  it('reserves once, and keeps the first amount', async () => {
    const id = await openWith(100);
    const key = newId();
    await under.ledger.reserve([charge(id, 70, key)]);
    expect(await under.ledger.reserve([charge(id, 90, key)])).toEqual([{ state: 'reserved', amountMicros: 70 }]);
    expect(await balanceOf(id)).toEqual({ balance: 100, reserved: 70 });
  });

  it('reserves once when many ask at once', async () => {
    const id = await openWith(100);
    const key = newId();
    const all = await Promise.all(Array.from({ length: 12 }, () => under.ledger.reserve([charge(id, 60, key)])));
    for (const [reserved] of all) expect(reserved).toEqual({ state: 'reserved', amountMicros: 60 });
    expect(await balanceOf(id)).toEqual({ balance: 100, reserved: 60 });
  });

  it('is one account’s', async () => {
    const [id, other] = [await openWith(100), await openWith(100)];
    const key = newId();
    expect(await statesOf([charge(id, 5, key), charge(other, 5, key)])).toEqual(['reserved', 'already_resolved']);
    expect(await statesOf([charge(other, 5, key)])).toEqual(['already_resolved']);
    expect(await balanceOf(other)).toEqual({ balance: 100, reserved: 0 });
  });

  it('is used up when it is resolved', async () => {
    const id = await openWith(100);
    const [posted, voided] = [newId(), newId()];
    await under.ledger.reserve([charge(id, 5, posted), charge(id, 5, voided)]);
    await settle('post', posted);
    await settle('void', voided);
    expect(await statesOf([charge(id, 5, posted), charge(id, 5, voided)])).toEqual([
      'already_resolved',
      'already_resolved',
    ]);
  });
});

describe('a resolution', () => {
  it('posts, or gives back', async () => {
    const id = await openWith(100);
    const [posted, voided] = [newId(), newId()];
    const revenue = await under.revenue();
    await under.ledger.reserve([charge(id, 30, posted), charge(id, 20, voided)]);
    expect(await settle('post', posted)).toEqual(['post']);
    expect(await balanceOf(id)).toEqual({ balance: 70, reserved: 20 });
    expect(await settle('void', voided)).toEqual(['void']);
    expect(await balanceOf(id)).toEqual({ balance: 70, reserved: 0 });
    expect(await under.revenue()).toBe(revenue + 30);
  });

  it('happens once, and cannot be contradicted', async () => {
    const id = await openWith(100);
    const key = newId();
    await under.ledger.reserve([charge(id, 30, key)]);
    expect(await settle('post', key)).toEqual(['post']);
    expect(await settle('post', key)).toEqual(['post']);
    expect(await settle('void', key)).toEqual(['post']);
    expect(await balanceOf(id)).toEqual({ balance: 70, reserved: 0 });
  });

  it('happens once when many ask at once, for one or the other', async () => {
    const id = await openWith(100);
    const key = newId();
    await under.ledger.reserve([charge(id, 30, key)]);
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, index) => settle(index % 2 === 0 ? 'post' : 'void', key)),
    );
    const kinds = new Set(all.flat());
    expect(kinds.size).toBe(1);
    expect(await balanceOf(id)).toEqual({ balance: kinds.has('post') ? 70 : 100, reserved: 0 });
  });

  it('in one group goes by the first that names the key', async () => {
    const id = await openWith(100);
    const key = newId();
    await under.ledger.reserve([charge(id, 30, key)]);
    const kinds = await under.ledger.settle([
      { key, kind: 'void' },
      { key, kind: 'post' },
      { key: newId(), kind: 'post' },
    ]);
    expect(kinds).toEqual(['void', 'void', null]);
    expect(await balanceOf(id)).toEqual({ balance: 100, reserved: 0 });
  });

  it('of a credit’s key is of nothing', async () => {
    const id = await openWith(100);
    const { rows } = await under.db.query<{ entry_key: string }>(
      'select entry_key from billing.credit where account_id = $1',
      [id],
    );
    expect(await settle('void', rows[0]!.entry_key)).toEqual([null]);
    expect(await balanceOf(id)).toEqual({ balance: 100, reserved: 0 });
  });
});
