import fc from 'fast-check';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import { newId } from '../../../shared/sid.js';
import { CURRENCY, REVENUE_ID } from '../domain/ledger.js';
import { BillingOrm } from './billing.orm.js';
import { BillingDatabase } from './billing.storage.js';
import { LedgerRepository, type Reservation, type Reserved } from './ledger.repository.js';
import { LedgerAccountsRepository } from './ledger-accounts.repository.js';
import { LedgerCheckRepository } from './ledger-check.repository.js';

let server: TestDatabase;
let db: BillingDatabase;
let accounts: LedgerAccountsRepository;
let ledger: LedgerRepository;

beforeAll(async () => {
  server = await startTestDatabase(['billing']);
  db = new BillingDatabase({ module: 'billing', connectionString: server.url });
  accounts = new LedgerAccountsRepository(new BillingOrm(db));
  ledger = new LedgerRepository(db);
});

afterAll(async () => {
  await db?.close();
  await server?.stop();
});

async function openWith(balanceMicros: number): Promise<string> {
  const id = newId();
  await db.transaction(async (tx) => {
    await accounts.open(tx, id, CURRENCY);
    if (balanceMicros > 0) await credit(tx, id, balanceMicros);
  });
  return id;
}

async function credit(tx: Queryable, accountId: string, amountMicros: number): Promise<void> {
  await accounts.lockForCredit(tx, accountId);
  const entryKey = newId();
  await accounts.credit(tx, { accountId, key: 'first', entryKey, amountMicros: BigInt(amountMicros), reason: '' });
}

const charge = (accountId: string, amountMicros: number, id = newId()): Reservation => ({
  key: { prefix: 'SM', id },
  accountId,
  amountMicros,
});
const stateOf = (reserved: Reserved) => reserved.state;
const statesOf = async (items: Reservation[]) => (await ledger.reserve(items)).map(stateOf);
const balanceOf = async (id: string) => {
  const { balanceMicros, reservedMicros } = (await accounts.balance(id))!;
  return { balance: Number(balanceMicros), reserved: Number(reservedMicros) };
};
const settle = (kind: 'post' | 'void', ...keys: string[]) => ledger.settle(keys.map((key) => ({ key, kind })));
const faults = () => new LedgerCheckRepository(db).check();

describe('a reservation', () => {
  it('sets aside what it costs', async () => {
    const id = await openWith(1000);
    expect(await ledger.reserve([charge(id, 300)])).toEqual([{ state: 'reserved', amountMicros: 300 }]);
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
    await db.query('update billing.ledger_account set limit_micros = 400 where id = $1', [id]);
    expect(await statesOf([charge(id, 601), charge(id, 600)])).toEqual(['insufficient_balance', 'reserved']);
  });

  it('is refused without a ledger, and in the ledger’s own accounts', async () => {
    expect(await statesOf([charge(newId(), 1), charge(REVENUE_ID, 1)])).toEqual(['no_ledger', 'no_ledger']);
  });

  it('of nothing is nothing', async () => {
    expect(await ledger.reserve([])).toEqual([]);
    expect(await ledger.settle([])).toEqual([]);
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

  it('asks the database once where nothing more can be covered', async () => {
    const id = await openWith(100);
    let statements = 0;
    const counting = {
      query: (...query: Parameters<BillingDatabase['query']>) => {
        statements++;
        return db.query(...query);
      },
    };
    const counted = new LedgerRepository(counting as BillingDatabase);
    const states = await counted.reserve(Array.from({ length: 200 }, () => charge(id, 30)));
    expect(states.filter(({ state }) => state === 'reserved')).toHaveLength(3);
    expect(statements).toBe(1);
  });

  it('may name a key twice', async () => {
    const id = await openWith(100);
    const key = newId();
    const items = [charge(id, 40, key), charge(id, 40, key), charge(id, 50, key), charge(id, 60)];
    expect(await ledger.reserve(items)).toEqual([
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
    await ledger.reserve([charge(id, 70, key)]);
    expect(await ledger.reserve([charge(id, 90, key)])).toEqual([{ state: 'reserved', amountMicros: 70 }]);
    expect(await balanceOf(id)).toEqual({ balance: 100, reserved: 70 });
  });

  it('reserves once when many ask at once', async () => {
    const id = await openWith(100);
    const key = newId();
    const all = await Promise.all(Array.from({ length: 12 }, () => ledger.reserve([charge(id, 60, key)])));
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
    await ledger.reserve([charge(id, 5, posted), charge(id, 5, voided)]);
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
    const revenue = (await revenueOf()).balance;
    await ledger.reserve([charge(id, 30, posted), charge(id, 20, voided)]);
    expect(await settle('post', posted)).toEqual(['post']);
    expect(await balanceOf(id)).toEqual({ balance: 70, reserved: 20 });
    expect(await settle('void', voided)).toEqual(['void']);
    expect(await balanceOf(id)).toEqual({ balance: 70, reserved: 0 });
    expect((await revenueOf()).balance).toBe(revenue + 30);
  });

  it('happens once, and cannot be contradicted', async () => {
    const id = await openWith(100);
    const key = newId();
    await ledger.reserve([charge(id, 30, key)]);
    expect(await settle('post', key)).toEqual(['post']);
    expect(await settle('post', key)).toEqual(['post']);
    expect(await settle('void', key)).toEqual(['post']);
    expect(await balanceOf(id)).toEqual({ balance: 70, reserved: 0 });
  });

  it('happens once when many ask at once, for one or the other', async () => {
    const id = await openWith(100);
    const key = newId();
    await ledger.reserve([charge(id, 30, key)]);
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
    await ledger.reserve([charge(id, 30, key)]);
    const kinds = await ledger.settle([
      { key, kind: 'void' },
      { key, kind: 'post' },
      { key: newId(), kind: 'post' },
    ]);
    expect(kinds).toEqual(['void', 'void', null]);
    expect(await balanceOf(id)).toEqual({ balance: 100, reserved: 0 });
  });

  it('of a credit’s key is of nothing', async () => {
    const id = await openWith(100);
    const { rows } = await db.query<{ entry_key: string }>(
      'select entry_key from billing.credit where account_id = $1',
      [id],
    );
    expect(await settle('void', rows[0]!.entry_key)).toEqual([null]);
    expect(await balanceOf(id)).toEqual({ balance: 100, reserved: 0 });
  });
});

async function revenueOf(): Promise<{ balance: number }> {
  const { rows } = await db.query<{ balance: string }>(
    'select balance_micros as balance from billing.ledger_account where id = $1',
    [REVENUE_ID],
  );
  return { balance: Number(rows[0]!.balance) };
}

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
      return new BillingDatabase({ module: 'billing', connectionString: server.url, dataConnections: 2 });
    });
  });

  afterAll(() => Promise.all(pools.map((pool) => pool.close())));

  it('never overdraw, never deadlock, and leave what their answers say', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ balances, groups }) => {
        const ids = await Promise.all(balances.map((balance) => openWith(balance)));
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
    const { accounts: wrong, resolutions, sumMicros } = await faults();
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
    expect(await Promise.all(ids.map(balanceOf))).toEqual(expected);
    for (const { balance, reserved } of expected) expect(balance - reserved).toBeGreaterThanOrEqual(0);
  }
});

describe('the ledger', () => {
  it.each([
    ['update', 'update billing.entry set amount_micros = 0'],
    ['delete', 'delete from billing.entry'],
    ['truncate', 'truncate billing.entry'],
    ['delete of an account', 'delete from billing.ledger_account'],
    ['change of a credit', 'update billing.credit set amount_micros = 1'],
    ['change of an event', 'update billing.event set type = type'],
    ['delete of an event', 'delete from billing.event'],
  ])('permits no %s', async (_, statement) => {
    await expect(db.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('reads one partition for keys of one time', async () => {
    const id = await openWith(100);
    const plans: string[] = [];
    const explaining = {
      query: async (query: { text: string; values: unknown[] }) => {
        const { rows } = await db.query<{ 'QUERY PLAN': string }>(`explain ${query.text}`, query.values);
        plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
        return { rows: [] };
      },
    };
    const explained = new LedgerRepository(explaining as unknown as BillingDatabase);
    const item = charge(id, 1);
    await explained.reserve([item]);
    await explained.settle([{ key: item.key.id, kind: 'post' }]);
    expect(plans).toHaveLength(2);
    for (const plan of plans) {
      const read = new Set([...plan.matchAll(/ on (entry_\w+)/g)].map((match) => match[1]));
      expect(read.size).toBe(1);
    }
  });
});

describe('the check of the ledger', () => {
  it('finds what is wrong, whatever it is', async () => {
    const id = await openWith(100);
    const [posted, orphan] = [newId(), newId()];
    await ledger.reserve([charge(id, 30, posted)]);
    await settle('post', posted);
    expect(await faults()).toMatchObject({ accounts: [], resolutions: [], sumMicros: '0' });
    await db.query('update billing.ledger_account set balance_micros = -5, reserved_micros = 7 where id = $1', [id]);
    await db.query(
      `insert into billing.entry (key, phase, kind, key_prefix, debit_id, credit_id, amount_micros)
        values ($1, 1, 'post', 'SM', $2, $3, 4)`,
      [orphan, id, REVENUE_ID],
    );
    const found = await faults();
    expect(found.accounts).toContainEqual({
      id,
      kind: 'customer',
      balance: '-5',
      projectedBalance: '66',
      reserved: '7',
      projectedReserved: '-4',
      limit: '0',
    });
    expect(found.accounts.map((fault) => fault.id)).toContain(REVENUE_ID);
    expect(found.resolutions).toEqual([{ key: orphan, keyPrefix: 'SM', pending: false }]);
    expect(found.sumMicros).not.toBe('0');
  });
});
