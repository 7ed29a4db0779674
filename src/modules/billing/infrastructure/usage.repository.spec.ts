import { newId } from '../../../shared/sid.js';
import { dayOf, dayText } from '../domain/usage.js';
import { charge, LedgerUnderTest } from './ledger.test-support.js';
import { LedgerCheckRepository } from './ledger-check.repository.js';
import { UsageRepository } from './usage.repository.js';

let under: LedgerUnderTest;
let usage: UsageRepository;

beforeAll(async () => {
  under = await LedgerUnderTest.start();
  usage = new UsageRepository(under.db);
});

afterAll(() => under?.stop());

/** The present day, and the one after it: a test may run across midnight. */
const now = () => ({ from: dayOf(Date.now()) - 1, to: dayOf(Date.now()) + 1 });
const total = async (...accountIds: string[]) =>
  (await usage.read(accountIds, now(), 'total')).map(({ keyPrefix, charges, amountMicros }) => [
    keyPrefix,
    Number(charges),
    Number(amountMicros),
  ]);

/** Reserves so many for an account and posts them, in groups that are written at once. */
async function post(accountId: string, count: number, amount = 3): Promise<string[]> {
  const keys = Array.from({ length: count }, () => newId());
  await under.ledger.reserve(keys.map((key) => charge(accountId, amount, key)));
  const groups = [keys.slice(0, count / 2), keys.slice(count / 2), keys];
  await Promise.all(groups.map((group) => under.ledger.settle(group.map((key) => ({ key, kind: 'post' })))));
  return keys;
}

describe('usage', () => {
  it('counts what is posted, once, and nothing else', async () => {
    const [one, other] = [await under.openWith(1000), await under.openWith(1000)];
    await Promise.all([post(one, 20), post(other, 10), post(one, 20)]);
    const [voided, open, undone] = [charge(one, 5), charge(one, 5), charge(one, 5)];
    await under.ledger.reserve([voided, open, undone, { ...charge(one, 7), key: { prefix: 'MM', id: newId() } }]);
    await under.ledger.settle([
      { key: voided.key.id, kind: 'void' },
      { key: undone.key.id, kind: 'undo' },
    ]);
    expect(await total(one)).toEqual([['SM', 40, 120]]);
    expect(await total(one, other)).toEqual([['SM', 50, 150]]);
    expect(await total(newId())).toEqual([]);
    const days = await usage.read([one], now(), 'day');
    expect(days.reduce((sum, { charges }) => sum + Number(charges), 0)).toBe(40);
    for (const { period } of days) expect([0, 1]).toContain(dayOf(Date.now()) - dayOf(Date.parse(period!)));
    const [month] = await usage.read([one], now(), 'month');
    expect(month!.period).toMatch(/^\d{4}-\d{2}-01$/);
  });

  it('is made anew from the entries while charges go on', async () => {
    const [lost, doubled, busy] = [
      await under.openWith(10_000),
      await under.openWith(1000),
      await under.openWith(10_000),
    ];
    await Promise.all([post(lost, 10), post(doubled, 10), post(busy, 10)]);
    await under.db.query('update billing.usage_day set charges = 0, amount_micros = 0 where account_id = $1', [lost]);
    await under.db.query('update billing.usage_day set charges = charges * 2 where account_id = $1', [doubled]);
    await under.db.query(
      `insert into billing.usage_day (account_id, day, key_prefix, charges, amount_micros) values ($1, $2, 'SM', 4, 4)`,
      [doubled, dayText(1)],
    );
    const broken = (await new LedgerCheckRepository(under.db).check()).accounts.map(({ id }) => id);
    expect(broken.sort()).toEqual([lost, doubled].sort());
    const corrections = await Promise.all([usage.correct(), post(busy, 40), post(lost, 40), post(busy, 40)]);
    expect(corrections[0]).toBe(3);
    expect(await total(lost)).toEqual([['SM', 50, 150]]);
    expect(await total(doubled)).toEqual([['SM', 10, 30]]);
    expect(await total(busy)).toEqual([['SM', 90, 270]]);
    expect((await new LedgerCheckRepository(under.db).check()).accounts).toEqual([]);
    expect(await usage.correct()).toBe(0);
  });

  it('is corrected by one of those who saw the same fault', async () => {
    const id = await under.openWith(1000);
    await post(id, 10);
    await under.db.query('update billing.usage_day set charges = 1 where account_id = $1', [id]);
    const outcomes = await Promise.all([usage.correct(), usage.correct(), usage.correct()]);
    expect(outcomes.filter((outcome) => outcome === 1)).toHaveLength(1);
    expect(await total(id)).toEqual([['SM', 10, 30]]);
  });
});
