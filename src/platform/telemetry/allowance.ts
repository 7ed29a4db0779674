const SECOND_MS = 1_000;

/** So many a second and no more: what bounds the cost of something that others decide the frequency of. */
export class Allowance {
  private startedAtMs = Number.NEGATIVE_INFINITY;
  private taken = 0;

  constructor(
    private readonly perSecond: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Whether there is one left in this second; takes it. */
  take(): boolean {
    const now = this.nowMs();
    if (now - this.startedAtMs >= SECOND_MS) {
      this.startedAtMs = now;
      this.taken = 0;
    }
    if (this.taken >= this.perSecond) return false;
    this.taken += 1;
    return true;
  }
}
