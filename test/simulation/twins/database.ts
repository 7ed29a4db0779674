import type { Queryable } from '../../../src/platform/postgres/database.js';

/** Rows that a transaction holds, by names such as `message/<id>`; a statement that needs one of them waits. */
export interface Transaction {
  readonly held: Set<string>;
  /** What becomes visible to the others with the commit. */
  readonly writes: (() => void)[];
}

/**
 * How a twin reaches its tables: each statement is atomic, and happens when whoever runs it says so. A statement gets its
 * transaction, where it has one, to buffer what it writes.
 */
export interface Database {
  /** By the database's clock, milliseconds since 1970. */
  nowMs(): number;
  /** @param rows what the statement locks, all of them before it looks at anything */
  run<T>(label: string, rows: readonly string[], work: (tx: Transaction) => T, tx?: Queryable): Promise<T>;
  /** A statement that changes nothing and waits for nobody. */
  look<T>(label: string, work: () => T): Promise<T>;
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
}

/** A twin's tables without a world around them: every statement happens at once. */
export class DirectDatabase implements Database {
  private open: Transaction | null = null;

  nowMs(): number {
    return Date.now();
  }

  async run<T>(_label: string, _rows: readonly string[], work: (tx: Transaction) => T): Promise<T> {
    if (this.open) return work(this.open);
    const tx = { held: new Set<string>(), writes: [] };
    const result = work(tx);
    commit(tx);
    return result;
  }

  async look<T>(_label: string, work: () => T): Promise<T> {
    return work();
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const tx = { held: new Set<string>(), writes: [] };
    this.open = tx;
    try {
      const result = await work(null as never);
      commit(tx);
      return result;
    } finally {
      this.open = null;
    }
  }
}

export function commit(tx: Transaction): void {
  for (const write of tx.writes) write();
}

/** As the driver throws it for a row whose key is taken. */
export function uniqueViolation(what: string): Error {
  return Object.assign(new Error(`duplicate key: ${what}`), { code: '23505' });
}
