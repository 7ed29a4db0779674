import type {
  AnsweredSubmission,
  Intended,
  OrphanReceipt,
  SegmentMatch,
} from '../../../src/modules/carriers/domain/submission.js';
import {
  type BindsLeaseRepository,
  BindsLost,
  type HeldLease,
} from '../../../src/modules/carriers/infrastructure/binds-lease.repository.js';
import type { IntentsRepository, LeftIntent } from '../../../src/modules/carriers/infrastructure/intents.repository.js';
import type {
  OutcomeBatch,
  OutcomesRepository,
} from '../../../src/modules/carriers/infrastructure/outcomes.repository.js';
import type { WithdrawalsRepository } from '../../../src/modules/carriers/infrastructure/withdrawals.repository.js';
import type { Database, Transaction } from './database.js';
import type { LogTable, LogTwin } from './event-log.twin.js';

export interface IntentRow {
  readonly id: string;
  readonly epoch: number;
  readonly items: readonly Intended[];
  readonly returned: Set<string>;
}

export class CarriersTables {
  readonly lease = { owner: null as string | null, epoch: 0, expiresAtMs: Number.NEGATIVE_INFINITY };
  readonly intents = new Map<string, IntentRow>();
  readonly submissions = new Map<string, AnsweredSubmission>();
  readonly orphans = new Map<string, OrphanReceipt>();
  readonly withdrawn = new Set<string>();
  /** Something was written under a lease that was another's by then. */
  isOvertaken = false;

  constructor(readonly log: LogTable) {}

  /** Whether a carrier was, or may be, given a key. */
  mayHave(key: string): boolean {
    if (this.submissions.has(key)) return true;
    for (const { items, returned } of this.intents.values()) {
      if (!returned.has(key) && items.some((item) => item.key === key)) return true;
    }
    return false;
  }
}

class Twin {
  constructor(
    protected readonly tables: CarriersTables,
    protected readonly db: Database,
  ) {}

  /** Whether the lease is theirs. */
  protected holds({ owner, epoch }: HeldLease): boolean {
    return this.tables.lease.owner === owner && this.tables.lease.epoch === epoch;
  }

  /** The guard of a statement that writes. */
  protected mayWrite(lease: HeldLease): boolean {
    return this.holds(lease);
  }

  protected noteWriter(lease: HeldLease): void {
    this.tables.isOvertaken ||= lease.epoch < this.tables.lease.epoch;
  }
}

/** BindsLeaseRepository's twin. */
export class BindsLeaseTwin extends Twin implements Pick<BindsLeaseRepository, 'acquire' | 'renew' | 'release'> {
  acquire(owner: string, leaseMs: number): Promise<HeldLease | null> {
    return this.db.run('take the binds', [], () => {
      const { lease } = this.tables;
      const now = this.db.nowMs();
      if (lease.owner !== null && lease.owner !== owner && lease.expiresAtMs >= now) return null;
      Object.assign(lease, { owner, epoch: lease.epoch + 1, expiresAtMs: now + leaseMs });
      return { owner, epoch: lease.epoch };
    });
  }

  renew(lease: HeldLease, leaseMs: number): Promise<boolean> {
    return this.db.run('renew the binds', [], () => {
      if (!this.holds(lease)) return false;
      this.tables.lease.expiresAtMs = this.db.nowMs() + leaseMs;
      return true;
    });
  }

  release(lease: HeldLease): Promise<void> {
    return this.db.run('release the binds', [], () => {
      if (this.holds(lease)) this.tables.lease.owner = null;
    });
  }
}

/** IntentsRepository's twin. */
export class IntentsTwin extends Twin implements Pick<IntentsRepository, 'intend' | 'left' | 'close'> {
  async intend(lease: HeldLease, id: string, items: readonly Intended[]): Promise<Set<string>> {
    const fresh = await this.db.run('intend', [], () => (this.mayWrite(lease) ? this.write(lease, id, items) : null));
    if (!fresh) throw new BindsLost();
    return fresh;
  }

  protected write(lease: HeldLease, id: string, items: readonly Intended[]): Set<string> {
    const { epoch } = lease;
    this.noteWriter(lease);
    const { submissions, withdrawn } = this.tables;
    const fresh = items.filter(({ key }) => !submissions.has(key) && !withdrawn.has(key));
    if (fresh.length > 0) this.tables.intents.set(id, { id, epoch, items: fresh, returned: new Set() });
    return new Set(fresh.map((item) => item.key));
  }

  left(lease: HeldLease, after: string, limit: number): Promise<LeftIntent[]> {
    return this.db.look('read what is left', () => {
      const rows = [...this.tables.intents.values()].filter((row) => row.epoch < lease.epoch && row.id > after);
      const first = rows.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
      return first.map(({ id, items, returned }) => ({
        id,
        items: items.filter(({ key }) => !returned.has(key) && !this.tables.submissions.has(key)),
      }));
    });
  }

  async close(lease: HeldLease, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.db.run('close intents', [], () => {
      if (this.holds(lease)) for (const id of ids) this.tables.intents.delete(id);
    });
  }
}

/** WithdrawalsRepository's twin: a statement of its own and one that writes an intent wait for each other. */
export class WithdrawalsTwin extends Twin implements Pick<WithdrawalsRepository, 'withdraw' | 'forgetOld'> {
  withdraw(keys: readonly string[]): Promise<Set<string>> {
    if (keys.length === 0) return Promise.resolve(new Set());
    return this.db.run('withdraw', [], () => this.write(keys));
  }

  protected write(keys: readonly string[]): Set<string> {
    const { withdrawn } = this.tables;
    for (const key of keys) if (!this.tables.mayHave(key)) withdrawn.add(key);
    return new Set(keys.filter((key) => withdrawn.has(key)));
  }

  /** Nothing gets old enough. */
  async forgetOld(): Promise<void> {}
}

/** OutcomesRepository's twin. */
export class OutcomesTwin extends Twin implements Pick<OutcomesRepository, 'record' | 'match' | 'newestOrphans'> {
  constructor(
    tables: CarriersTables,
    db: Database,
    private readonly log: LogTwin,
  ) {
    super(tables, db);
  }

  async record(lease: HeldLease, batch: OutcomeBatch): Promise<void> {
    const isHeld = await this.db.run('record outcomes', [this.tables.log.headRow], (tx) => {
      if (!this.mayWrite(lease)) return false;
      this.noteWriter(lease);
      this.write(tx, batch);
      return true;
    });
    if (!isHeld) throw new BindsLost();
    if (batch.events.length > 0) this.log.wake();
  }

  protected write(tx: Transaction, batch: OutcomeBatch): void {
    const { submissions, intents, orphans, log } = this.tables;
    for (const answer of batch.answered) if (!submissions.has(answer.key)) submissions.set(answer.key, answer);
    for (const { intentId, key } of batch.returnedKeys) intents.get(intentId)?.returned.add(key);
    for (const id of batch.closedIntents) intents.delete(id);
    for (const orphan of batch.newOrphans) {
      const isKept = [...orphans.values()].some((one) => contentOf(one) === contentOf(orphan));
      if (!isKept) orphans.set(orphan.id, orphan);
    }
    for (const id of batch.adoptedOrphans) orphans.delete(id);
    const fresh = batch.events.filter((event) => !log.has(event.streamId, event.version));
    log.insert(tx, fresh, this.db.nowMs());
  }

  match(wanted: readonly { carrier: string; messageId: string }[]): Promise<SegmentMatch[]> {
    if (wanted.length === 0) return Promise.resolve([]);
    return this.db.look('match receipts', () => {
      const found = wanted.flatMap(({ carrier, messageId }) =>
        [...this.tables.submissions.values()].flatMap((one) =>
          one.carrier === carrier ? segmentsWith(one, messageId) : [],
        ),
      );
      return found.sort((a, b) => (a.key > b.key ? -1 : 1));
    });
  }

  newestOrphans(limit: number): Promise<OrphanReceipt[]> {
    return this.db.look('read orphans', () => {
      const rows = [...this.tables.orphans.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      return rows.slice(-limit);
    });
  }
}

function contentOf({ carrier, messageId, source, state }: OrphanReceipt): string {
  return [carrier, messageId, source, state].join('\n');
}

function segmentsWith(one: AnsweredSubmission, messageId: string): SegmentMatch[] {
  const { key, accountId, segments, carrier, destination } = one;
  return one.messageIds.flatMap((id, index) =>
    id !== '' && id === messageId
      ? { key, accountId, segment: index + 1, segments, carrier, messageId, destination }
      : [],
  );
}
