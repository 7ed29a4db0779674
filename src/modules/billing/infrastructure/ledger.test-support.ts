import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { newId } from '../../../shared/sid.js';
import { CURRENCY, REVENUE_ID, usedToday } from '../domain/ledger.js';
import { dayOf } from '../domain/usage.js';
import { BillingOrm } from './billing.orm.js';
import { BillingDatabase } from './billing.storage.js';
import { LedgerRepository, type Reservation } from './ledger.repository.js';
import { LedgerAccountsRepository } from './ledger-accounts.repository.js';
import { UsageRepository } from './usage.repository.js';

/** A ledger on a database of its own. */
export class LedgerUnderTest {
  readonly ledger: LedgerRepository;
  readonly accounts: LedgerAccountsRepository;

  private constructor(
    private readonly server: TestDatabase,
    readonly db: BillingDatabase,
  ) {
    this.ledger = new LedgerRepository(db);
    this.accounts = new LedgerAccountsRepository(new BillingOrm(db));
  }

  static async start(): Promise<LedgerUnderTest> {
    const server = await startTestDatabase(['billing']);
    return new LedgerUnderTest(server, new BillingDatabase({ module: 'billing', connectionString: server.url }));
  }

  get url(): string {
    return this.server.url;
  }

  async stop(): Promise<void> {
    await this.db.close();
    await this.server.stop();
  }

  /** A new account with this credit. */
  async openWith(balanceMicros: number): Promise<string> {
    const accountId = newId();
    await this.db.transaction(async (tx) => {
      await this.accounts.open(tx, accountId, CURRENCY);
      if (balanceMicros === 0) return;
      await this.accounts.lockForCredit(tx, accountId);
      const amountMicros = BigInt(balanceMicros);
      await this.accounts.credit(tx, { accountId, key: 'first', entryKey: newId(), amountMicros, reason: '' });
    });
    return accountId;
  }

  async balanceOf(accountId: string): Promise<{ balance: number; reserved: number }> {
    const balance = await this.accounts.balance(accountId);
    if (!balance) throw new Error(`${accountId} has no ledger`);
    return { balance: Number(balance.balanceMicros), reserved: Number(balance.reservedMicros) };
  }

  /** Gives an account a daily quota, as accounts' events do. */
  async setQuota(accountId: string, limit: number | null, version = 1): Promise<void> {
    await this.db.transaction((tx) => this.accounts.setQuotas(tx, [{ accountId, limit, version }]));
  }

  /** How many messages count for the day's quota, and how many are open. */
  async countsOf(accountId: string): Promise<{ used: number; open: number }> {
    const balance = await this.accounts.balance(accountId);
    if (!balance) throw new Error(`${accountId} has no ledger`);
    return { used: usedToday(balance, Date.now()), open: Number(balance.reservedCount) };
  }

  /** What an account's usage says it was charged for: how often, and how much in micro-units. */
  async usageOf(accountId: string): Promise<{ charges: number; charged: number }> {
    const span = { from: 0, to: dayOf(Date.now()) + 1 };
    const usage = await new UsageRepository(this.db).read([accountId], span, 'total');
    return {
      charges: usage.reduce((sum, { charges }) => sum + Number(charges), 0),
      charged: usage.reduce((sum, { amountMicros }) => sum + Number(amountMicros), 0),
    };
  }

  /** What was charged so far, in micro-units. */
  async revenue(): Promise<number> {
    const { rows } = await this.db.query<{ balance: string }>(
      'select balance_micros as balance from billing.ledger_account where id = $1',
      [REVENUE_ID],
    );
    return Number(rows[0]?.balance);
  }
}

/** A reservation under a key of its own, or the given one. */
export function charge(accountId: string, amountMicros: number, id = newId()): Reservation {
  return { key: { prefix: 'SM', id }, accountId, amountMicros };
}
