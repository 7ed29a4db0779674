import type { Queryable } from './database.js';

const REFRESH_MS = 30_000;
const SAMPLES = 3;
/** More than this between the process's two clocks means that one was set, or stood still while the machine slept. */
const MAX_SLIP_MS = 50;

/**
 * The database's clock, without a round trip per reading: its offset to the process's monotonic clock, taken from the
 * quickest of a few samples and refreshed now and then, and at once when the process's own clock was set. Deadlines
 * are set by it and checked by the database itself. Until the first `refresh` it is the process's clock.
 */
export class DatabaseClock {
  private offsetMs = wallOffsetMs();
  private wallOffsetMs = wallOffsetMs();
  private refreshedAtMs = Number.NEGATIVE_INFINITY;
  private refreshing: Promise<void> | null = null;

  constructor(private readonly db: Queryable) {}

  /** Milliseconds since 1970 by the database's clock, within about the time of one round trip. */
  now(): number {
    const age = performance.now() - this.refreshedAtMs;
    if (age > REFRESH_MS || Math.abs(wallOffsetMs() - this.wallOffsetMs) > MAX_SLIP_MS) {
      void this.refresh().catch(() => undefined);
    }
    return Math.round(performance.now() + this.offsetMs);
  }

  /** Takes the offset anew; calls at the same time share one. @throws what the database says when it cannot be asked */
  refresh(): Promise<void> {
    this.refreshing ??= this.measure().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async measure(): Promise<void> {
    let bestMs = Number.POSITIVE_INFINITY;
    let offsetMs = this.offsetMs;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const before = performance.now();
      const { rows } = await this.db.query<{ ms: number }>(
        'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
      );
      const after = performance.now();
      if (after - before >= bestMs) continue;
      bestMs = after - before;
      offsetMs = rows[0]!.ms - (before + after) / 2;
    }
    this.offsetMs = offsetMs;
    this.wallOffsetMs = wallOffsetMs();
    this.refreshedAtMs = performance.now();
  }
}

/** What the process's wall clock shows beyond its monotonic one. */
function wallOffsetMs(): number {
  return Date.now() - performance.now();
}
