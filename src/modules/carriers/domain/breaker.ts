export type BreakerState = 'closed' | 'open' | 'half_open';

export interface BreakerSettings {
  /** Calls that are looked back on, and for how long. */
  readonly calls: number;
  readonly windowMs: number;
  readonly minimumCalls: number;
  /** Enough when every one of them failed. */
  readonly minimumAllFailed: number;
  readonly failureRatio: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
  readonly probes: number;
}

export const BREAKER_DEFAULTS: BreakerSettings = {
  calls: 100,
  windowMs: 10_000,
  minimumCalls: 10,
  minimumAllFailed: 5,
  failureRatio: 0.5,
  openMs: 30_000,
  maxOpenMs: 300_000,
  probes: 3,
};

/**
 * A circuit breaker over the last calls. Opens when half of them failed or were slow, or at once on a stall; lets a few
 * probes through after a jittered time that grows with every opening in a row; closes when all probes succeed.
 * Time and chance come in as arguments.
 */
export class Breaker {
  private readonly outcomes: { atMs: number; failed: boolean }[] = [];
  private current: BreakerState = 'closed';
  private opensAgainAtMs = 0;
  private openings = 0;
  private probesLeft = 0;
  private probesPassed = 0;

  constructor(
    private readonly settings: BreakerSettings,
    private readonly random: () => number,
  ) {}

  /** The state at an instant; an open breaker whose time has come lets probes through. */
  state(nowMs: number): BreakerState {
    if (this.current === 'open' && nowMs >= this.opensAgainAtMs) {
      this.current = 'half_open';
      this.probesLeft = this.settings.probes;
      this.probesPassed = 0;
    }
    return this.current;
  }

  /** How many calls may start now. */
  allowance(nowMs: number): number {
    const state = this.state(nowMs);
    if (state === 'closed') return Number.POSITIVE_INFINITY;
    return state === 'open' ? 0 : this.probesLeft;
  }

  /** A call starts. */
  started(nowMs: number): void {
    if (this.state(nowMs) === 'half_open') this.probesLeft--;
  }

  /** A call ended without saying anything of the carrier (it was never made): a probe may be tried again. */
  withdrawn(nowMs: number): void {
    if (this.state(nowMs) === 'half_open') this.probesLeft++;
  }

  succeeded(nowMs: number): void {
    if (this.state(nowMs) === 'half_open') {
      this.probesPassed++;
      if (this.probesPassed >= this.settings.probes) this.close();
      return;
    }
    this.note(nowMs, false);
  }

  failed(nowMs: number): void {
    if (this.state(nowMs) === 'half_open') {
      this.trip(nowMs);
      return;
    }
    this.note(nowMs, true);
    if (this.current === 'closed' && this.tooMany()) this.trip(nowMs);
  }

  /** Opens at once: the carrier takes everything and answers nothing. */
  trip(nowMs: number): void {
    const growthMs = Math.min(this.settings.maxOpenMs, this.settings.openMs * 2 ** Math.min(this.openings, 10));
    this.opensAgainAtMs = nowMs + growthMs * (0.75 + this.random() / 2);
    this.openings++;
    this.current = 'open';
    this.outcomes.length = 0;
  }

  private close(): void {
    this.current = 'closed';
    this.openings = 0;
    this.outcomes.length = 0;
  }

  private note(nowMs: number, failed: boolean): void {
    this.outcomes.push({ atMs: nowMs, failed });
    while (this.outcomes.length > this.settings.calls || this.outcomes[0]!.atMs < nowMs - this.settings.windowMs) {
      this.outcomes.shift();
    }
  }

  private tooMany(): boolean {
    const failed = this.outcomes.filter((outcome) => outcome.failed).length;
    const all = this.outcomes.length;
    if (failed === all) return all >= this.settings.minimumAllFailed;
    return all >= this.settings.minimumCalls && failed / all >= this.settings.failureRatio;
  }
}
