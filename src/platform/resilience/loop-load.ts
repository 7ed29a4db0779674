import { performance } from 'node:perf_hooks';

/** Shorter looks would see single callbacks. */
const SAMPLE_MS = 100;
/** How busy the event loop must be before anything waits, and when it waits longest. */
const CALM = 0.5;
const FULL = 0.9;

/**
 * How busy this process's event loop is, and what follows from it for work that can wait a moment: nothing while there
 * is time; the busier it is, the longer such work gathers, so that more of it shares a transaction.
 */
export class LoopLoad {
  private last = performance.eventLoopUtilization();
  private lastAtMs = performance.now();
  private share = 0;

  /** From 0 (nothing to do) to 1 (never idle), of the newest sample. */
  get utilization(): number {
    const now = performance.now();
    if (now - this.lastAtMs >= SAMPLE_MS) {
      const next = performance.eventLoopUtilization();
      this.share = performance.eventLoopUtilization(next, this.last).utilization;
      this.last = next;
      this.lastAtMs = now;
    }
    return this.share;
  }

  /** How long to gather, at most `mostMs`. */
  gatherMs(mostMs: number): number {
    return mostMs * Math.min(1, Math.max(0, (this.utilization - CALM) / (FULL - CALM)));
  }
}
