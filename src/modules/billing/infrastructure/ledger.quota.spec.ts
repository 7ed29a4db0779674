import { newId } from '../../../shared/sid.js';
import { BillingDatabase } from './billing.storage.js';
import { LedgerRepository, type Reservation, type Resolution } from './ledger.repository.js';
import { charge, LedgerUnderTest } from './ledger.test-support.js';
import { LedgerCheckRepository } from './ledger-check.repository.js';

let under: LedgerUnderTest;

beforeAll(async () => {
  under = await LedgerUnderTest.start();
});

afterAll(async () => {
  const { accounts } = await new LedgerCheckRepository(under.db).check();
  await under.stop();
  expect(accounts).toEqual([]);
});

const statesOf = async (items: Reservation[]) => (await under.ledger.reserve(items)).map(({ state }) => state);
const settle = (kind: Resolution['kind'], ...items: Reservation[]) =>
  under.ledger.settle(items.map(({ key }) => ({ key: key.id, kind })));

async function openWith(balanceMicros: number, quota: number | null): Promise<string> {
  const id = await under.openWith(balanceMicros);
  await under.setQuota(id, quota);
  return id;
}

/** As if everything so far had happened the day before. */
async function aDayLater(accountId: string): Promise<void> {
  await under.db.query('update billing.ledger_account set quota_day = quota_day - 1 where id = $1', [accountId]);
}

describe('the quota of a day', () => {
  it('lets as many through as it says, and says of the others what refused them', async () => {
    const id = await openWith(1000, 3);
    const items = Array.from({ length: 5 }, () => charge(id, 1));
    expect(await statesOf(items)).toEqual(['reserved', 'reserved', 'reserved', 'quota_exhausted', 'quota_exhausted']);
    expect(await under.countsOf(id)).toEqual({ used: 3, open: 3 });
  });

  it('is not used by what the balance does not cover', async () => {
    const id = await openWith(10, 2);
    const states = await statesOf([charge(id, 11), charge(id, 4), charge(id, 7), charge(id, 5), charge(id, 1)]);
    expect(states).toEqual(['insufficient_balance', 'reserved', 'insufficient_balance', 'reserved', 'quota_exhausted']);
  });

  it('is used once by a key, however often it is reserved', async () => {
    const id = await openWith(100, 2);
    const item = charge(id, 1);
    await under.ledger.reserve([item, item]);
    expect(await statesOf([item, charge(id, 1), item])).toEqual(['reserved', 'reserved', 'reserved']);
    expect(await under.countsOf(id)).toEqual({ used: 2, open: 2 });
  });

  it('is given back by what never came to be, and by nothing else', async () => {
    const id = await openWith(100, 3);
    const [undone, voided, posted] = [charge(id, 1), charge(id, 1), charge(id, 1)];
    await under.ledger.reserve([undone, voided, posted]);
    await settle('void', voided);
    await settle('post', posted);
    expect(await under.countsOf(id)).toEqual({ used: 3, open: 1 });
    expect(await settle('undo', undone, undone, voided)).toEqual(['void', 'void', 'void']);
    expect(await settle('undo', undone)).toEqual(['void']);
    expect(await settle('undo', posted)).toEqual(['post']);
    expect(await under.countsOf(id)).toEqual({ used: 2, open: 0 });
    expect(await statesOf([charge(id, 1), charge(id, 1)])).toEqual(['reserved', 'quota_exhausted']);
  });

  it('is whole on the next day, which what was undone of the day before does not change', async () => {
    const id = await openWith(100, 2);
    const [first, second] = [charge(id, 1), charge(id, 1)];
    await under.ledger.reserve([first, second]);
    await aDayLater(id);
    expect(await under.countsOf(id)).toEqual({ used: 0, open: 2 });
    await settle('undo', first);
    expect(await statesOf([charge(id, 1), charge(id, 1), charge(id, 1)])).toEqual([
      'reserved',
      'reserved',
      'quota_exhausted',
    ]);
    // All of it happened on one day after all, and that is what the check finds in the entries.
    await under.db.query('update billing.ledger_account set quota_used = 3 where id = $1', [id]);
  });

  it('counts for a day that another process has begun already', async () => {
    const id = await openWith(100, 2);
    await under.db.query(
      `update billing.ledger_account set quota_day = (now() at time zone 'UTC')::date + 1 where id = $1`,
      [id],
    );
    const item = charge(id, 1);
    expect(await statesOf([item, charge(id, 1), charge(id, 1)])).toEqual(['reserved', 'reserved', 'quota_exhausted']);
    await settle('undo', item);
    expect(await statesOf([charge(id, 1), charge(id, 1)])).toEqual(['reserved', 'quota_exhausted']);
  });

  it('holds at 100 when 200 are reserved at once, by two processes', async () => {
    const id = await openWith(100_000, 100);
    const other = new BillingDatabase({ module: 'billing', connectionString: under.url });
    try {
      const ledgers = [under.ledger, new LedgerRepository(other)];
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) => ledgers[index % 2]!.reserve([charge(id, 1)])),
      );
      const states = answers.flat().map(({ state }) => state);
      expect(states.filter((state) => state === 'reserved')).toHaveLength(100);
      expect(states.filter((state) => state === 'quota_exhausted')).toHaveLength(100);
      expect(await under.countsOf(id)).toEqual({ used: 100, open: 100 });
    } finally {
      await other.close();
    }
  });

  it('is what the newest event says, whatever is heard again', async () => {
    const id = await openWith(100, 2);
    await under.setQuota(id, null, 5);
    await under.setQuota(id, 1, 4);
    await under.setQuota(newId(), 1, 1);
    expect(await statesOf([charge(id, 1), charge(id, 1), charge(id, 1)])).toEqual(['reserved', 'reserved', 'reserved']);
    expect(await under.accounts.balance(id)).toMatchObject({ quotaLimit: null });
  });
});

describe('the bound on what is open', () => {
  it('refuses until something is settled', async () => {
    const id = await openWith(100, null);
    await under.db.query('update billing.ledger_account set outstanding_limit = 2 where id = $1', [id]);
    const [first, second] = [charge(id, 1), charge(id, 1)];
    expect(await statesOf([first, second, charge(id, 1)])).toEqual(['reserved', 'reserved', 'queue_full']);
    await settle('post', first);
    expect(await statesOf([charge(id, 1), charge(id, 1)])).toEqual(['reserved', 'queue_full']);
  });
});
