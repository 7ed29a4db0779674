import type { Queryable } from './database.js';

const REFRESH_MS = 30_000;
const SAMPLES = 3;

/**
 * The database's clock, without a round trip per reading: its offset to the process's clock, taken from the quickest
 * of a few samples and refreshed now and then. Deadlines are set by it and checked by the database itself.
 */
export class DatabaseClock {
  private offsetMs = 0;
  private refreshedAtMs = Number.NEGATIVE_INFINITY;
  private refreshing: Promise<void> | null = null;

  constructor(private readonly db: Queryable) {}

  /** Milliseconds since 1970 by the database's clock, within about the time of one round trip. */
  now(): number {
    if (Date.now() - this.refreshedAtMs > REFRESH_MS) void this.refresh().catch(() => undefined);
    return Date.now() + this.offsetMs;
  }

  /** Takes the offset anew. @throws what the database says when it cannot be asked */
  refresh(): Promise<void> {
    this.refreshing ??= this.measure().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async measure(): Promise<void> {
    let bestMs = Number.POSITIVE_INFINITY;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const before = performance.now();
      const { rows } = await this.db.query<{ ms: number }>(
        'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
      );
      const tookMs = performance.now() - before;
      if (tookMs >= bestMs) continue;
      bestMs = tookMs;
      this.offsetMs = rows[0]!.ms + tookMs / 2 - Date.now();
    }
    this.refreshedAtMs = Date.now();
  }
}
