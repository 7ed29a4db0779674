export type BreakerState = 'closed' | 'open' | 'half_open';

export interface BreakerSettings {
  /** Calls that are looked back on. */
  readonly calls: number;
  /** The last of them that are looked at by themselves as well. */
  readonly windowMs: number;
  /** What is older says nothing any more. */
  readonly memoryMs: number;
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
  memoryMs: 300_000,
  minimumCalls: 10,
  minimumAllFailed: 5,
  failureRatio: 0.5,
  openMs: 30_000,
  maxOpenMs: 300_000,
  probes: 3,
};

const MAX_DOUBLINGS = 10;

interface Outcome {
  readonly atMs: number;
  readonly failed: boolean;
}

/** Since when a call is under way, in terms of the breaker: one that began before the last change of state counts no more. */
export type BreakerTurn = number;

/**
 * A circuit breaker over the last calls. Opens when half of the last 100, or of those of the last 10 s, failed or were
 * slow, and at once on a stall; lets a few probes through after a jittered time that grows with every opening in a row;
 * closes when all probes succeed. Instants are milliseconds of a clock that never runs backwards; time and chance come
 * in as arguments.
 */
export class Breaker {
  private outcomes: Outcome[] = [];
  private current: BreakerState = 'closed';
  private turn: BreakerTurn = 0;
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
      this.enter('half_open');
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

  /** How long until probes are let through; 0 unless it is open. */
  waitMs(nowMs: number): number {
    return this.state(nowMs) === 'open' ? this.opensAgainAtMs - nowMs : 0;
  }

  /** The calls that are looked back on. */
  recent(): { calls: number; failed: number } {
    return { calls: this.outcomes.length, failed: failures(this.outcomes) };
  }

  /** A call starts. What it returns is given back with its outcome. */
  started(nowMs: number): BreakerTurn {
    if (this.state(nowMs) === 'half_open') this.probesLeft--;
    return this.turn;
  }

  /** A call ended without saying anything of the carrier (it was never made): a probe may be tried again. */
  withdrawn(turn: BreakerTurn): void {
    if (turn === this.turn && this.current === 'half_open') this.probesLeft++;
  }

  succeeded(turn: BreakerTurn, nowMs: number): void {
    if (turn !== this.turn) return;
    if (this.current === 'closed') this.note(nowMs, false);
    else if (++this.probesPassed >= this.settings.probes) {
      this.openings = 0;
      this.enter('closed');
    }
  }

  failed(turn: BreakerTurn, nowMs: number): void {
    if (turn !== this.turn) return;
    if (this.current === 'closed') this.note(nowMs, true);
    if (this.current === 'half_open' || this.isTooMuch(nowMs)) this.open(nowMs);
  }

  /** The carrier takes everything and answers nothing: opens at once. */
  stalled(turn: BreakerTurn, nowMs: number): void {
    if (turn === this.turn) this.open(nowMs);
  }

  private open(nowMs: number): void {
    const { openMs, maxOpenMs } = this.settings;
    const growthMs = Math.min(maxOpenMs, openMs * 2 ** Math.min(this.openings, MAX_DOUBLINGS));
    this.opensAgainAtMs = nowMs + growthMs * (0.75 + this.random() / 2);
    this.openings++;
    this.enter('open');
  }

  private enter(state: BreakerState): void {
    this.current = state;
    this.turn++;
    this.outcomes = [];
  }

  private note(nowMs: number, failed: boolean): void {
    this.outcomes.push({ atMs: nowMs, failed });
    const { calls, memoryMs } = this.settings;
    while (this.outcomes.length > calls || this.outcomes[0]!.atMs < nowMs - memoryMs) this.outcomes.shift();
  }

  private isTooMuch(nowMs: number): boolean {
    const sinceMs = nowMs - this.settings.windowMs;
    return this.isBad(this.outcomes) || this.isBad(this.outcomes.filter((outcome) => outcome.atMs >= sinceMs));
  }

  private isBad(outcomes: readonly Outcome[]): boolean {
    const { minimumAllFailed, minimumCalls, failureRatio } = this.settings;
    const failed = failures(outcomes);
    if (failed === outcomes.length) return failed >= minimumAllFailed;
    return outcomes.length >= minimumCalls && failed / outcomes.length >= failureRatio;
  }
}

function failures(outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, outcome) => sum + (outcome.failed ? 1 : 0), 0);
}
