import type pg from 'pg';
import type { StoredEvent } from '../../shared/define-event.js';
import { ModuleDatabase, type Queryable } from '../postgres/database.js';
import type { DurableConsumer } from './consumer.js';
import { ConsumerStore, type Lease } from './consumer-store.js';
import { EventLog } from './event-log.js';
import { counted, MODULE, recordEffects, TEST_EVENTS, type TestHouse } from './event-log.test-support.js';
import { ParkedEvents } from './parked-events.js';

/** The steps of a consumer and of an appender, each named after what it has just done, or is about to do. */
export const PAGE_STEPS = ['read', 'prepared', 'applied', 'advanced', 'commit-sent', 'committed', 'followed'] as const;
export const RETRY_STEPS = ['set-aside', 'failed', 'removing', 'removed'] as const;
export const APPEND_STEPS = ['began', 'written', 'appended', 'commit-sent', 'committed'] as const;
export type Step = (typeof PAGE_STEPS | typeof RETRY_STEPS | typeof APPEND_STEPS)[number];

/** Where the process sends itself a signal: the `nth` time that it has done a step. */
export interface Fault {
  readonly step: Step;
  readonly nth: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** Counts steps, and strikes at the one that was chosen. */
export class FaultPoint {
  private times = 0;

  constructor(private readonly fault: Fault | null) {}

  passed(step: Step): void {
    if (this.fault?.step !== step || ++this.times !== this.fault.nth) return;
    process.kill(process.pid, this.fault.signal);
  }
}

export class FaultyDatabase extends ModuleDatabase {
  constructor(
    connectionString: string,
    private readonly point: FaultPoint,
  ) {
    super({ module: MODULE, connectionString });
    this.data.on('connect', (client) => this.watchCommits(client));
  }

  override async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const result = await super.transaction(work);
    this.point.passed('committed');
    return result;
  }

  /** The commit is on its way when `query` returns; its answer is not. */
  private watchCommits(client: pg.PoolClient): void {
    const query = client.query;
    const watched = (...parameters: unknown[]) => {
      const answer: unknown = Reflect.apply(query, client, parameters);
      if (parameters[0] === 'commit') this.point.passed('commit-sent');
      return answer;
    };
    Object.assign(client, { query: watched });
  }
}

class FaultyLog extends EventLog {
  constructor(
    db: ModuleDatabase,
    private readonly point: FaultPoint,
  ) {
    super(db, TEST_EVENTS);
  }

  override async read(after: number, limit?: number): Promise<StoredEvent[]> {
    const page = await super.read(after, limit);
    if (page.length > 0) this.point.passed('read');
    return page;
  }
}

class FaultyParkedEvents extends ParkedEvents {
  constructor(
    db: ModuleDatabase,
    private readonly point: FaultPoint,
  ) {
    super(db);
  }

  override async add(...parameters: Parameters<ParkedEvents['add']>): Promise<void> {
    await super.add(...parameters);
    this.point.passed('set-aside');
  }

  override async failed(...parameters: Parameters<ParkedEvents['failed']>): Promise<void> {
    await super.failed(...parameters);
    this.point.passed('failed');
  }

  override async remove(...parameters: Parameters<ParkedEvents['remove']>): Promise<void> {
    this.point.passed('removing');
    await super.remove(...parameters);
    this.point.passed('removed');
  }
}

class FaultyStore extends ConsumerStore {
  override readonly parked: ParkedEvents;

  constructor(
    db: ModuleDatabase,
    private readonly point: FaultPoint,
  ) {
    super(db);
    this.parked = new FaultyParkedEvents(db, point);
  }

  override async advance(tx: Queryable, lease: Lease, from: number, to: number): Promise<void> {
    await super.advance(tx, lease, from, to);
    this.point.passed('advanced');
  }
}

export function openFaultyHouse(connectionString: string, point: FaultPoint): TestHouse {
  const db = new FaultyDatabase(connectionString, point);
  return { db, log: new FaultyLog(db, point), store: new FaultyStore(db, point) };
}

/**
 * A consumer with all its steps: prepares a keyed row outside the transaction, writes a row within it, without a key
 * unless `keyed`. The effect of each second event of a stream fails twice in each process if it is `flaky`.
 */
export function steppedConsumer(
  id: string,
  db: ModuleDatabase,
  point: FaultPoint,
  { flaky = false, keyed = false } = {},
): DurableConsumer {
  const failures = new Map<number, number>();
  return {
    id,
    source: MODULE,
    types: [counted.type],
    batchSize: 10,
    prepare: async (events) => {
      await recordEffects(db, `${id}/prepared`, events, true);
      point.passed('prepared');
    },
    apply: async (tx, events) => {
      await recordEffects(tx, id, events, keyed);
      point.passed('applied');
      for (const { position, version } of flaky ? events : []) {
        const times = failures.get(position) ?? 0;
        failures.set(position, times + 1);
        if (version === 2 && times < 2) throw new Error('flaky');
      }
      return () => point.passed('followed');
    },
  };
}
