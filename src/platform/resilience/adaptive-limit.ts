export interface AdaptiveLimitSettings {
  /** Work that takes longer than this is a sign of overload. */
  readonly targetMs: number;
  readonly initial: number;
  readonly least: number;
  readonly most: number;
}

/** How often the limit is looked at. */
const WINDOW_MS = 100;
/** A window with fewer ends says nothing. */
const LEAST_ENDS = 10;
/** This share of slow ends is too much. */
const SLOW_SHARE = 0.1;
const DECREASE = 0.9;
const INCREASE = 0.05;

/**
 * How much may be under way at once, found by trying: the limit grows by a twentieth while it is reached and work ends
 * in time, and shrinks by a tenth while too much of it is slow. What is less important enters up to a share of it only,
 * and so is the first to be refused. Instants are milliseconds of a clock that never runs backwards.
 */
export class AdaptiveLimit {
  private current: number;
  private entered = 0;
  private windowStartMs = Number.NEGATIVE_INFINITY;
  private ends = 0;
  private slow = 0;
  private wasReached = false;

  constructor(private readonly settings: AdaptiveLimitSettings) {
    this.current = settings.initial;
  }

  get limit(): number {
    return this.current;
  }

  get inFlight(): number {
    return this.entered;
  }

  /** Whether all places are taken, also for what is most important. To be asked where a refusal follows. */
  get isFull(): boolean {
    const isFull = this.entered >= this.current;
    if (isFull) this.wasReached = true;
    return isFull;
  }

  /**
   * Takes a place, or none where all that are there for this share are taken.
   *
   * @param share from above 0 to 1: the part of the limit up to which this work may enter
   */
  tryEnter(share: number): boolean {
    if (this.entered >= this.current * share) {
      this.wasReached = true;
      return false;
    }
    this.entered++;
    return true;
  }

  /**
   * Gives a place back.
   *
   * @param tookMs how long the work took; null where that says nothing about the load
   */
  leave(tookMs: number | null, nowMs: number): void {
    this.entered--;
    if (tookMs !== null) {
      this.ends++;
      if (tookMs > this.settings.targetMs) this.slow++;
    }
    if (nowMs - this.windowStartMs >= WINDOW_MS) this.look(nowMs);
  }

  private look(nowMs: number): void {
    this.windowStartMs = nowMs;
    if (this.ends < LEAST_ENDS) return;
    const { least, most } = this.settings;
    if (this.slow > this.ends * SLOW_SHARE) this.current = Math.max(least, Math.floor(this.current * DECREASE));
    else if (this.wasReached) this.current = Math.min(most, Math.ceil(this.current * (1 + INCREASE)));
    this.ends = 0;
    this.slow = 0;
    this.wasReached = false;
  }
}
