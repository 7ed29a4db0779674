const BURST_MS = 100;
/** Less than a burst, or what a late timer left unused would be lost. */
const SLICE_MS = 60;
/** More would save little, and what is urgent would wait for them. */
const SLICE_MESSAGES = 4;
const SLOWEST = 0.05;
const RECOVERY_PER_SECOND = 0.1;
const FIRST_PAUSE_MS = 100;
const PAUSE_DECAY = 0.95;
const LONGEST_PAUSE_MS = 5_000;

/**
 * A carrier's pace: a token bucket of its own rate, slowed when it says that it is throttled and recovering little by
 * little. Without a rate of its own only the pauses after throttling hold. What has to wait for the pace leaves in
 * slices of a few messages, not one by one: they share their statements, and a slow carrier costs a fraction.
 * Instants are milliseconds of a clock that never runs backwards; time and chance come in as arguments.
 */
export class Pacer {
  private tokens: number;
  private filledAtMs: number;
  private rateShare = 1;
  private pausedUntilMs = Number.NEGATIVE_INFINITY;
  private pauseMs = FIRST_PAUSE_MS;
  /** Nothing leaves until there is enough for a slice. */
  private isSaving = false;

  /** @param perSecond segments a second, null for no limit */
  constructor(
    private readonly perSecond: number | null,
    private readonly random: () => number,
    nowMs: number,
  ) {
    this.tokens = this.burst();
    this.filledAtMs = nowMs;
  }

  /** The part of its rate that it uses at present: less than 1 for a while after it was throttled. */
  share(nowMs: number): number {
    this.fill(nowMs);
    return this.rateShare;
  }

  /** How long until something may leave; 0: now. */
  waitMs(nowMs: number): number {
    if (nowMs < this.pausedUntilMs) return this.pausedUntilMs - nowMs;
    if (this.perSecond === null) return 0;
    this.fill(nowMs);
    const rate = (this.perSecond * this.rateShare) / 1000;
    this.isSaving ||= this.tokens < 1;
    const missing = this.isSaving ? Math.max(1, Math.min(SLICE_MESSAGES, rate * SLICE_MS)) - this.tokens : 0;
    // At least a millisecond: what a rounding error leaves over must not keep the caller asking without end.
    if (missing > 0) return Math.max(1, Math.ceil(missing / rate));
    this.isSaving = false;
    return 0;
  }

  /** Segments of one message leave together: those that there is no room for yet are owed, and the next message waits. */
  take(nowMs: number, segments: number): void {
    if (this.perSecond === null) return;
    this.fill(nowMs);
    this.tokens -= segments;
  }

  throttled(nowMs: number): void {
    if (nowMs < this.pausedUntilMs) return;
    this.fill(nowMs);
    this.rateShare = Math.max(SLOWEST, this.rateShare / 2);
    this.pausedUntilMs = nowMs + this.pauseMs * (0.5 + this.random() / 2);
    this.pauseMs = Math.min(LONGEST_PAUSE_MS, this.pauseMs * 2);
  }

  /** It takes messages again: the next pause is a little shorter, not short at once, or a slow carrier would be hammered. */
  answered(): void {
    this.pauseMs = Math.max(FIRST_PAUSE_MS, this.pauseMs * PAUSE_DECAY);
  }

  private fill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.filledAtMs) / 1000;
    this.filledAtMs = nowMs;
    this.rateShare = Math.min(1, this.rateShare + seconds * RECOVERY_PER_SECOND);
    if (this.perSecond === null) return;
    this.tokens = Math.min(this.burst(), this.tokens + seconds * this.perSecond * this.rateShare);
  }

  private burst(): number {
    return this.perSecond === null ? 0 : Math.max(1, (this.perSecond * BURST_MS) / 1000);
  }
}
