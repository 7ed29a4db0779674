import { jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import { ModuleDatabase, type Queryable } from './database.js';
import { DatabaseClock } from './database-clock.js';

const AHEAD_MS = 3_600_000;

/** A database whose clock is an hour ahead of ours, each answer of which takes some time by our own clocks. */
class FakeTime {
  monotonicMs = 5_000;
  wallMs = 1_000_000;
  asked = 0;
  tooksMs = [10];
  isGone = false;

  constructor() {
    jest.spyOn(performance, 'now').mockImplementation(() => this.monotonicMs);
    jest.spyOn(Date, 'now').mockImplementation(() => this.wallMs);
  }

  pass(ms: number): void {
    this.monotonicMs += ms;
    this.wallMs += ms;
  }

  readonly db = {
    query: async () => {
      if (this.isGone) throw new Error('gone');
      const tookMs = this.tooksMs[this.asked++ % this.tooksMs.length]!;
      this.pass(tookMs / 2);
      const ms = this.databaseMs();
      this.pass(tookMs / 2);
      return { rows: [{ ms }] };
    },
  } as unknown as Queryable;

  /** The database's clock goes on whatever is done to ours. */
  databaseMs = () => this.monotonicMs - 5_000 + 1_000_000 + AHEAD_MS;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("the database's clock", () => {
  it('is that of a real one, within the time that asking takes', async () => {
    const database: TestDatabase = await startTestDatabase(['messaging']);
    const db = new ModuleDatabase({ module: 'messaging', connectionString: database.url });
    try {
      const clock = new DatabaseClock(db);
      await clock.refresh();
      const before = clock.now();
      const { rows } = await db.query<{ ms: number }>(
        'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
      );
      // Our own reading of the same instants is good to the time of a round trip; a machine may pause us.
      expect(rows[0]!.ms).toBeGreaterThan(before - 1_000);
      expect(rows[0]!.ms).toBeLessThan(clock.now() + 1_000);
    } finally {
      await db.close();
      await database.stop();
    }
  });

  it('is ours until it was asked for, then the database one, without asking again', async () => {
    const time = new FakeTime();
    const clock = new DatabaseClock(time.db);
    expect(clock.now()).toBe(time.wallMs);
    await clock.refresh();
    const { asked } = time;
    for (let times = 0; times < 100; times++) {
      time.pass(100);
      expect(clock.now()).toBe(time.databaseMs());
    }
    expect(time.asked).toBe(asked);
  });

  it('believes the quickest of its samples', async () => {
    const time = new FakeTime();
    time.tooksMs = [400, 2, 900];
    const clock = new DatabaseClock(time.db);
    const quick = jest.spyOn(time, 'databaseMs');
    await clock.refresh();
    expect(quick).toHaveBeenCalledTimes(3);
    expect(clock.now()).toBe(time.databaseMs());
  });

  it('is asked again after a while, once for all who look meanwhile', async () => {
    const time = new FakeTime();
    const clock = new DatabaseClock(time.db);
    await clock.refresh();
    const { asked } = time;
    time.pass(31_000);
    for (let times = 0; times < 10; times++) clock.now();
    await clock.refresh();
    expect(time.asked).toBe(asked + 3);
  });

  it('is not moved by setting our clock, and is asked again then', async () => {
    const time = new FakeTime();
    const clock = new DatabaseClock(time.db);
    await clock.refresh();
    const { asked } = time;
    time.wallMs -= 600_000;
    expect(clock.now()).toBe(time.databaseMs());
    await eventuallyAsked(time, asked + 3);
    time.pass(10);
    expect(clock.now()).toBe(time.databaseMs());
    expect(time.asked).toBe(asked + 3);
  });

  it('goes on as it was while the database cannot be asked', async () => {
    const time = new FakeTime();
    const clock = new DatabaseClock(time.db);
    await clock.refresh();
    time.isGone = true;
    time.pass(60_000);
    expect(clock.now()).toBe(time.databaseMs());
    await expect(clock.refresh()).rejects.toThrow('gone');
    time.isGone = false;
    clock.now();
    await clock.refresh();
    expect(clock.now()).toBe(time.databaseMs());
  });

  async function eventuallyAsked(time: FakeTime, times: number): Promise<void> {
    const fake = Date.now;
    jest.spyOn(Date, 'now').mockRestore();
    await eventually(() => time.asked === times);
    jest.spyOn(Date, 'now').mockImplementation(fake);
  }
});
