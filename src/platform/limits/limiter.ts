/** At most `max` in any span of `windowMs`, counted in `buckets` parts of it. The shape of a key's limits never changes. */
export interface Limit {
  readonly windowMs: number;
  /**
   * How finely the window slides: what was taken counts for the window and up to one bucket longer, so that a steady
   * rate of `max × buckets / (buckets + 1)` in a window is never refused.
   */
  readonly buckets: number;
  readonly max: number;
}

/** The answer to a request for places; its figures are those of the window that is closest to its limit. */
export interface Taken {
  readonly granted: boolean;
  readonly limit: number;
  /** Places that are left after this request. */
  readonly remaining: number;
  /** Milliseconds until places for another request like this one are free; where some are left, until all are. */
  readonly resetMs: number;
}

/** Counts what is taken under a key in sliding windows. */
export abstract class Limiter {
  /**
   * Takes `count` places in each of the windows, or none at all. At once where nobody else has to be asked; never
   * rejects.
   */
  abstract take(key: string, limits: readonly Limit[], count: number): Taken | Promise<Taken>;
}

/** What a window holds after a request. */
export interface WindowState {
  readonly limit: Limit;
  readonly remaining: number;
  readonly resetMs: number;
}

/**
 * The answer that the states of all windows make: of those that refuse, the one that does so the longest, else the one
 * with the least left in proportion.
 */
export function takenOf(granted: boolean, count: number, windows: readonly WindowState[]): Taken {
  let [chosen, most] = [windows[0]!, Number.NEGATIVE_INFINITY];
  for (const window of windows) {
    const refuses = !granted && window.remaining < count;
    const closeness = refuses ? 2 + window.resetMs : 1 - window.remaining / window.limit.max;
    if (closeness > most) [chosen, most] = [window, closeness];
  }
  return { granted, limit: chosen.limit.max, remaining: chosen.remaining, resetMs: chosen.resetMs };
}
