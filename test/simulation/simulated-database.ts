import type { Queryable } from '../../src/platform/postgres/database.js';
import { commit, type Database, type Transaction } from './twins/database.js';
import { EPOCH_MS } from './virtual-time.js';
import type { Host, Step, World } from './world.js';

export interface StatementFaults {
  /** How often a statement does not reach the server. */
  before: number;
  /** How often its answer is lost. */
  after: number;
  /** How often an answer takes a way of its own, so that others may overtake it. */
  delayed: number;
}

interface OpenTransaction extends Transaction {
  isCommitting: boolean;
  /** The server has ended it. */
  isDead: boolean;
}

/** Who holds which row. */
export type Locks = Map<string, Transaction>;

const NO_ROWS: readonly string[] = [];

function broken(): Error {
  return Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
}

function isNothing(result: unknown): boolean {
  if (result === null || Array.isArray(result)) return !result?.length;
  return (result as { size?: number }).size === 0 || (result as { next?: unknown }).next === null;
}

/** One process's connections to the server: what was sent may happen although the process is gone. */
export class SimulatedDatabase implements Database {
  private readonly underWay = new Map<Step, OpenTransaction | null>();
  private readonly open = new Set<OpenTransaction>();

  constructor(
    private readonly world: World,
    private readonly host: Host,
    private readonly locks: Locks,
    private readonly faults: StatementFaults,
  ) {
    host.onGone.push(() => this.abandon());
  }

  nowMs(): number {
    return EPOCH_MS + Math.floor(this.world.nowMs);
  }

  run<T>(label: string, rows: readonly string[], work: (tx: Transaction) => T, tx?: Queryable): Promise<T> {
    const inside = tx as unknown as OpenTransaction | undefined;
    return this.send(label, rows, inside ?? null, () => {
      if (inside) {
        for (const row of rows) this.hold(inside, row);
        return work(inside);
      }
      const alone: Transaction = { held: new Set(), writes: [] };
      const result = work(alone);
      commit(alone);
      this.world.isChanged = true;
      return result;
    });
  }

  look<T>(label: string, work: () => T): Promise<T> {
    const { random, pace } = this.world;
    if (random.chance(pace.instant)) {
      const result = work();
      if (isNothing(result)) return Promise.resolve(result);
    }
    return this.send(label, NO_ROWS, null, work);
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const tx: OpenTransaction = { held: new Set(), writes: [], isCommitting: false, isDead: false };
    this.open.add(tx);
    try {
      const result = await work(tx as unknown as Queryable);
      tx.isCommitting = true;
      await this.send('commit', [], tx, () => {
        commit(tx);
        this.world.isChanged = true;
        this.end(tx);
      });
      return result;
    } catch (error) {
      if (!tx.isDead) this.end(tx);
      throw error;
    }
  }

  /** The server ends what idles in a transaction for long: its process was stopped. */
  rollBackIdle(): void {
    for (const tx of this.open) if (!tx.isCommitting) this.end(tx);
  }

  private send<T>(label: string, rows: readonly string[], tx: OpenTransaction | null, work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { world, host, faults } = this;
      const fail = () => this.answer(label, () => reject(broken()));
      const step = world.later(
        null,
        label,
        () => {
          this.underWay.delete(step);
          if (tx?.isDead || world.random.chance(faults.before)) {
            world.note(`  ${host.name}'s statement does not arrive`);
            if (tx) this.end(tx);
            fail();
            return;
          }
          let result: T;
          try {
            result = work();
          } catch (error) {
            this.answer(label, () => reject(error));
            return;
          }
          if (world.random.chance(faults.after)) {
            world.note(`  ${host.name} does not hear the answer`);
            if (tx) this.end(tx);
            fail();
          } else this.answer(label, () => resolve(result));
        },
        {
          isReady: () => rows.every((row) => this.isFree(row, tx)),
          expire: () => {
            this.underWay.delete(step);
            if (tx) this.end(tx);
            fail();
          },
        },
      );
      this.underWay.set(step, tx);
    });
  }

  /** The process goes on with it now, or later. */
  private answer(label: string, run: () => void): void {
    const { world, host, faults } = this;
    if (!host.isAlive) return;
    if (!host.isRunning || world.random.chance(faults.delayed)) {
      world.later(host, `hears of ${label}`, run, { withinMs: 5_000 });
      return;
    }
    world.note(`  for ${host.name}, which hears of it`);
    world.current = host;
    run();
  }

  private isFree(row: string, tx: Transaction | null): boolean {
    const holder = this.locks.get(row);
    return holder === undefined || holder === tx;
  }

  private hold(tx: Transaction, row: string): void {
    this.locks.set(row, tx);
    tx.held.add(row);
  }

  private end(tx: OpenTransaction): void {
    for (const row of tx.held) this.locks.delete(row);
    tx.held.clear();
    this.open.delete(tx);
    tx.isDead = true;
  }

  /** Of what the process had sent, the server has read one part and not the other. */
  private abandon(): void {
    for (const [step, tx] of this.underWay) {
      const isWhole = tx === null || tx.isCommitting;
      if (isWhole && this.world.random.chance(0.5)) continue;
      this.world.drop(step);
      if (tx) this.end(tx);
    }
    for (const tx of this.open) if (![...this.underWay.values()].includes(tx)) this.end(tx);
  }
}
