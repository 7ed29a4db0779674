const BURST_MS = 100;
const SLOWEST = 0.05;
const RECOVERY_PER_SECOND = 0.1;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * A carrier's pace: a token bucket of its own rate, slowed when it says that it is throttled and recovering little by
 * little. Without a rate of its own only the pauses after throttling hold. Time and chance come in as arguments.
 */
export class Pacer {
  private tokens: number;
  private filledAtMs: number;
  private share = 1;
  private pausedUntilMs = 0;
  private pauseMs = FIRST_PAUSE_MS;

  /** @param perSecond messages a second, null for no limit */
  constructor(
    private readonly perSecond: number | null,
    private readonly random: () => number,
    nowMs: number,
  ) {
    this.tokens = this.burst();
    this.filledAtMs = nowMs;
  }

  /** How many messages may leave now. */
  available(nowMs: number): number {
    if (nowMs < this.pausedUntilMs) return 0;
    if (this.perSecond === null) return Number.POSITIVE_INFINITY;
    this.fill(nowMs);
    return Math.floor(this.tokens);
  }

  take(nowMs: number): void {
    if (this.perSecond === null) return;
    this.fill(nowMs);
    this.tokens -= 1;
  }

  /** How long until one more may leave. */
  waitMs(nowMs: number): number {
    if (nowMs < this.pausedUntilMs) return this.pausedUntilMs - nowMs;
    if (this.perSecond === null || this.available(nowMs) >= 1) return 0;
    return Math.ceil(((1 - this.tokens) / (this.perSecond * this.share)) * 1000);
  }

  throttled(nowMs: number): void {
    if (nowMs < this.pausedUntilMs) return;
    this.share = Math.max(SLOWEST, this.share / 2);
    this.pausedUntilMs = nowMs + this.pauseMs * (0.5 + this.random() / 2);
    this.pauseMs = Math.min(LONGEST_PAUSE_MS, this.pauseMs * 2);
  }

  answered(): void {
    this.pauseMs = FIRST_PAUSE_MS;
  }

  private fill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.filledAtMs) / 1000;
    this.filledAtMs = nowMs;
    this.share = Math.min(1, this.share + seconds * RECOVERY_PER_SECOND);
    this.tokens = Math.min(this.burst(), this.tokens + seconds * (this.perSecond ?? 0) * this.share);
  }

  private burst(): number {
    return this.perSecond === null ? 0 : Math.max(1, (this.perSecond * BURST_MS) / 1000);
  }
}
