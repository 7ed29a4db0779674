import type { Charge, IdRange } from '../../../src/modules/billing/infrastructure/charges.repository.js';
import type {
  LedgerRepository,
  Reservation,
  Reserved,
  Resolution,
} from '../../../src/modules/billing/infrastructure/ledger.repository.js';
import type { Database } from './database.js';

const DAY_MS = 24 * 3600 * 1000;

export interface AccountRow {
  balance: number;
  reserved: number;
  readonly limit: number;
  /** Reservations that are open, and how many may be. */
  open: number;
  readonly mostOpen: number;
  /** Messages of the day, and how many there may be; null: any number. */
  day: number;
  used: number;
  /** What was posted: how often, and how much. */
  charges: number;
  charged: number;
  readonly quota: number | null;
}

/** An account with this credit and no bounds. */
export function accountWith(balance: number, bounds: Partial<Pick<AccountRow, 'mostOpen' | 'quota'>> = {}): AccountRow {
  const none = { reserved: 0, limit: 0, open: 0, mostOpen: Number.POSITIVE_INFINITY, day: 0, used: 0 };
  const uncharged = { charges: 0, charged: 0, quota: null };
  return { balance, ...none, ...uncharged, ...bounds };
}

export interface EntryRow {
  readonly prefix: string;
  readonly accountId: string;
  readonly amount: number;
  readonly day: number;
  resolution: 'post' | 'void' | null;
}

export class LedgerTable {
  readonly accounts = new Map<string, AccountRow>();
  readonly entries = new Map<string, EntryRow>();
  revenue = 0;
}

/** LedgerRepository's twin: a group of items is one statement. */
export class LedgerTwin implements Pick<LedgerRepository, 'reserve' | 'settle'> {
  constructor(
    protected readonly table: LedgerTable,
    private readonly db: Database,
  ) {}

  async reserve(items: readonly Reservation[]): Promise<Reserved[]> {
    if (items.length === 0) return [];
    return this.db.run('reserve', [], () => items.map((item) => this.reserveOne(item)));
  }

  async settle(items: readonly Resolution[]): Promise<('post' | 'void' | null)[]> {
    if (items.length === 0) return [];
    return this.db.run('settle', [], () => items.map((item) => this.settleOne(item)));
  }

  private reserveOne(item: Reservation): Reserved {
    const entry = this.table.entries.get(item.key.id);
    if (entry) {
      const isOpen = entry.accountId === item.accountId && entry.resolution === null;
      return isOpen ? { state: 'reserved', amountMicros: entry.amount } : { state: 'already_resolved' };
    }
    const account = this.table.accounts.get(item.accountId);
    if (!account) return { state: 'no_ledger' };
    const day = Math.max(account.day, Math.floor(this.db.nowMs() / DAY_MS));
    const used = day === account.day ? account.used : 0;
    if (account.quota !== null && used >= account.quota) return { state: 'quota_exhausted' };
    if (account.open >= account.mostOpen) return { state: 'queue_full' };
    if (item.amountMicros > account.balance - account.reserved - account.limit)
      return { state: 'insufficient_balance' };
    account.reserved += item.amountMicros;
    Object.assign(account, { open: account.open + 1, day, used: used + 1 });
    const { key, accountId, amountMicros: amount } = item;
    this.table.entries.set(key.id, { prefix: key.prefix, accountId, amount, day, resolution: null });
    return { state: 'reserved', amountMicros: amount };
  }

  protected settleOne(item: Resolution): 'post' | 'void' | null {
    const entry = this.table.entries.get(item.key);
    if (!entry) return null;
    if (entry.resolution) return entry.resolution;
    entry.resolution = item.kind === 'post' ? 'post' : 'void';
    const account = this.table.accounts.get(entry.accountId)!;
    account.open -= 1;
    if (item.kind === 'undo' && account.day === entry.day) account.used -= 1;
    this.move(entry);
    return entry.resolution;
  }

  protected move(entry: EntryRow): void {
    const account = this.table.accounts.get(entry.accountId)!;
    account.reserved -= entry.amount;
    if (entry.resolution === 'void') return;
    account.balance -= entry.amount;
    account.charges += 1;
    account.charged += entry.amount;
    this.table.revenue += entry.amount;
  }
}

const STATES = { post: 'posted', void: 'voided' } as const;

/** ChargesRepository's twin. */
export class ChargesTwin {
  constructor(
    private readonly table: LedgerTable,
    private readonly db: Database,
  ) {}

  list(range: IdRange, afterId: string | null, limit: number, pendingOnly: boolean): Promise<Charge[]> {
    return this.db.look('list charges', () => {
      const ids = [...this.table.entries.keys()].filter(
        (id) => id >= range.fromId && id < range.toId && (afterId === null || id > afterId),
      );
      const rows = ids.sort().map((keyId) => ({ keyId, entry: this.table.entries.get(keyId)! }));
      const wanted = rows.filter(({ entry }) => !pendingOnly || entry.resolution === null).slice(0, limit);
      return wanted.map(({ keyId, entry }) => ({
        keyPrefix: entry.prefix,
        keyId,
        accountId: entry.accountId,
        state: entry.resolution ? STATES[entry.resolution] : 'pending',
        amountMicros: entry.amount,
        changedAt: new Date(this.db.nowMs()),
      }));
    });
  }
}
