import { newId } from '../../../shared/sid.js';
import { REVENUE_ID } from '../domain/ledger.js';
import type { BillingDatabase } from './billing.storage.js';
import { LedgerRepository } from './ledger.repository.js';
import { charge, LedgerUnderTest } from './ledger.test-support.js';
import { LedgerCheckRepository } from './ledger-check.repository.js';

let under: LedgerUnderTest;

beforeAll(async () => {
  under = await LedgerUnderTest.start();
});

afterAll(() => under?.stop());

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
    await expect(under.db.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('looks a key up in the one partition that can hold it', async () => {
    const id = await under.openWith(100);
    const item = charge(id, 1);
    await under.ledger.reserve([item]);
    const seen: string[] = [];
    const explaining = {
      query: async (query: { text: string; values: unknown[] }) => {
        const { rows } = await under.db.query<{ 'QUERY PLAN': string }>(
          `explain (analyze) ${query.text}`,
          query.values,
        );
        seen.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
        return { rows: [] };
      },
    };
    const explained = new LedgerRepository(explaining as unknown as BillingDatabase);
    await explained.settle([{ key: item.key.id, kind: 'post' }]);
    const scans = seen[0]!.split('\n').filter((line) => / on entry_\w+/.test(line));
    const made = scans.filter((line) => !line.includes('never executed'));
    expect(scans.length).toBeGreaterThan(made.length);
    expect(made).toHaveLength(1);
  });
});

describe('the check of the ledger', () => {
  it('finds what is wrong, whatever it is', async () => {
    const id = await under.openWith(100);
    const [posted, orphan] = [newId(), newId()];
    await under.ledger.reserve([charge(id, 30, posted)]);
    await under.ledger.settle([{ key: posted, kind: 'post' }]);
    expect(await new LedgerCheckRepository(under.db).check()).toMatchObject({
      accounts: [],
      resolutions: [],
      sumMicros: '0',
    });
    await under.db.query(
      `update billing.ledger_account
        set balance_micros = -5, reserved_micros = 7, reserved_count = 2, quota_used = 3 where id = $1`,
      [id],
    );
    await under.db.query(
      `insert into billing.entry (key, phase, kind, key_prefix, debit_id, credit_id, amount_micros)
        values ($1, 1, 'post', 'SM', $2, $3, 4)`,
      [orphan, id, REVENUE_ID],
    );
    const found = await new LedgerCheckRepository(under.db).check();
    expect(found.accounts).toContainEqual({
      id,
      kind: 'customer',
      balance: '-5',
      projectedBalance: '66',
      reserved: '7',
      projectedReserved: '-4',
      limit: '0',
      open: '2',
      projectedOpen: '-1',
      used: '3',
      projectedUsed: '1',
      charges: '1',
      projectedCharges: '2',
      charged: '30',
      projectedCharged: '34',
    });
    expect(found.accounts.map((fault) => fault.id)).toContain(REVENUE_ID);
    expect(found.resolutions).toEqual([{ key: orphan, keyPrefix: 'SM', pending: false }]);
    expect(found.sumMicros).not.toBe('0');
  });
});
