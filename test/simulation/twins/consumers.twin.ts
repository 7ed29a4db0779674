import { type Lease, LeaseLost } from '../../../src/platform/event-log/consumer-store.js';
import type { Queryable } from '../../../src/platform/postgres/database.js';
import type { Database } from './database.js';

export interface ConsumerRow {
  position: number;
  owner: string | null;
  epoch: number;
  expiresAtMs: number;
}

export type ConsumerTable = Map<string, ConsumerRow>;

/** The rows of consumers, cursor and lease in one: ConsumerStore's twin. Nothing is ever set aside here: `onParked` hears. */
export class ConsumersTwin {
  readonly parked;

  constructor(
    protected readonly table: ConsumerTable,
    readonly db: Database,
    onParked: (consumer: string, error: unknown) => void = () => undefined,
  ) {
    this.parked = {
      heads: async () => [],
      queue: async () => undefined,
      add: async (_tx: Queryable, consumer: string, _event: unknown, error: unknown) => onParked(consumer, error),
    };
  }

  declare(id: string): Promise<void> {
    return this.db.run('declare', [], () => {
      if (!this.table.has(id)) this.table.set(id, { position: 0, owner: null, epoch: 0, expiresAtMs: -Infinity });
    });
  }

  acquire(id: string, owner: string, leaseMs: number): Promise<Lease | null> {
    return this.db.run(`take ${id}`, [`consumer/${id}`], () => {
      const row = this.table.get(id);
      if (!row || !(row.owner === null || row.owner === owner || row.expiresAtMs < this.db.nowMs())) return null;
      Object.assign(row, { owner, epoch: row.epoch + 1, expiresAtMs: this.db.nowMs() + leaseMs });
      return { consumer: id, owner, epoch: row.epoch, position: row.position };
    });
  }

  renew(owner: string, leaseMs: number): Promise<string[]> {
    const rows = [...this.table.keys()].map((id) => `consumer/${id}`);
    return this.db.run('renew', rows, () => {
      const now = this.db.nowMs();
      const held = [...this.table].filter(([, row]) => row.owner === owner && row.expiresAtMs > now);
      for (const [, row] of held) row.expiresAtMs = now + leaseMs;
      return held.map(([id]) => id);
    });
  }

  advance(tx: Queryable | Database, lease: Lease, from: number, to: number): Promise<void> {
    const inside = tx === this.db ? undefined : (tx as Queryable);
    return this.db.run(
      `move ${lease.consumer} to ${to}`,
      [`consumer/${lease.consumer}`],
      (rows) => {
        const row = this.table.get(lease.consumer)!;
        if (!this.mayMove(row, lease, from)) throw new LeaseLost(lease.consumer);
        rows.writes.push(() => {
          row.position = to;
        });
      },
      inside,
    );
  }

  protected mayMove(row: ConsumerRow, lease: Lease, from: number): boolean {
    const isOurs = row.owner === lease.owner && row.epoch === lease.epoch && row.expiresAtMs > this.db.nowMs();
    return isOurs && row.position === from;
  }
}
