import type { RetrySchedule } from './retry-schedule.js';

export type BreakerState = 'closed' | 'open' | 'half_open';

/** Attempts that may be under way while it is not known whether the endpoint is well again. */
export const PROBES = 3;
const WINDOW = 20;
const MIN_OUTCOMES = 10;
/** Fewer outcomes are enough when none of them is good. */
const MIN_FAILURES = 5;

/**
 * Stops the calls to an endpoint that fails: it opens when half of the last attempts failed, lets a few probes through
 * after a pause, which doubles each time they fail, and closes when they succeed.
 *
 * The longest pause is shorter than the first retry waits. So whoever is refused now meets a closed breaker or a probe
 * the next time, if the endpoint is well by then.
 */
export class EndpointBreaker {
  private outcomes: boolean[] = [];
  private isTripped = false;
  private openUntilMs = 0;
  private pauses = 0;
  private passed = 0;

  constructor(private readonly schedule: RetrySchedule) {}

  state(nowMs: number): BreakerState {
    if (!this.isTripped) return 'closed';
    return nowMs < this.openUntilMs ? 'open' : 'half_open';
  }

  /** Whether it remembers nothing that a new one would not. */
  get isClean(): boolean {
    return !this.isTripped && !this.outcomes.includes(false);
  }

  /** @param random from 0 to below 1: the pause is jittered by a quarter either way */
  record(succeeded: boolean, nowMs: number, random: number): void {
    const state = this.state(nowMs);
    // Attempts that began before the pause say nothing new.
    if (state === 'open') return;
    if (state === 'half_open') {
      if (!succeeded) this.open(nowMs, random);
      else if (++this.passed >= PROBES) this.close();
      return;
    }
    this.outcomes.push(succeeded);
    if (this.outcomes.length > WINDOW) this.outcomes.shift();
    if (this.hasFailed()) this.open(nowMs, random);
  }

  private hasFailed(): boolean {
    const failures = this.outcomes.filter((succeeded) => !succeeded).length;
    const { length } = this.outcomes;
    return failures === length ? failures >= MIN_FAILURES : length >= MIN_OUTCOMES && failures * 2 >= length;
  }

  private open(nowMs: number, random: number): void {
    const longestMs = this.schedule.firstWaitMs * 0.6;
    const pauseMs = Math.min(longestMs, (this.schedule.firstWaitMs / 4) * 2 ** Math.min(this.pauses, 10));
    this.isTripped = true;
    this.openUntilMs = nowMs + pauseMs * (0.75 + random / 2);
    this.pauses++;
    this.passed = 0;
  }

  private close(): void {
    this.isTripped = false;
    this.outcomes = [];
    this.pauses = 0;
  }
}
