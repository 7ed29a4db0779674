import type { Delivery } from '../domain/delivery.js';

const MAX_PER_ORIGIN = 32;
const FAILURES_TO_OPEN = 10;
const OPEN_MS = 15_000;

interface Origin {
  readonly key: string;
  readonly waiting: Delivery[];
  active: number;
  failures: number;
  openUntilMs: number;
  /** Whether it stands in the ring of those that may start something. */
  isRunnable: boolean;
}

/**
 * The endpoints, each with a queue, a bulkhead and a breaker of its own: one that hangs or fails takes no more than its
 * share, and the others go on in turn.
 */
export class Origins {
  private readonly origins = new Map<string, Origin>();
  private readonly ring: Origin[] = [];

  enqueue(delivery: Delivery): void {
    const origin = this.of(delivery.url);
    origin.waiting.push(delivery);
    this.mayRun(origin);
  }

  /**
   * The next delivery whose endpoint has a place for it; `paused` where the endpoint is given a pause, and then all that
   * wait for it. Null when nothing can start.
   */
  take(nowMs: number): { delivery: Delivery } | { paused: Delivery[]; waitMs: number } | null {
    for (;;) {
      const origin = this.ring.shift();
      if (!origin) return null;
      origin.isRunnable = false;
      const delivery = origin.waiting.shift();
      if (!delivery) continue;
      if (origin.openUntilMs > nowMs) {
        const paused = [delivery, ...origin.waiting.splice(0)];
        return { paused, waitMs: origin.openUntilMs - nowMs + Math.random() * 1000 };
      }
      origin.active++;
      this.mayRun(origin);
      return { delivery };
    }
  }

  /** Gives the place back. Failures in a row open the breaker; after the pause one more failure opens it again. */
  leave(url: string, nowMs: number, succeeded: boolean): void {
    const origin = this.of(url);
    origin.active--;
    origin.failures = succeeded ? 0 : origin.failures + 1;
    if (origin.failures >= FAILURES_TO_OPEN) {
      origin.failures = FAILURES_TO_OPEN - 1;
      origin.openUntilMs = nowMs + OPEN_MS * (0.75 + Math.random() / 2);
    }
    this.mayRun(origin);
    const isIdle = origin.active === 0 && origin.waiting.length === 0;
    if (isIdle && (origin.failures === 0 || origin.openUntilMs <= nowMs)) this.origins.delete(origin.key);
  }

  /** Forgets what waits: it is due again in the table. */
  clear(): void {
    for (const origin of this.origins.values()) origin.waiting.length = 0;
  }

  private mayRun(origin: Origin): void {
    if (origin.isRunnable || origin.waiting.length === 0 || origin.active >= MAX_PER_ORIGIN) return;
    origin.isRunnable = true;
    this.ring.push(origin);
  }

  private of(url: string): Origin {
    const key = URL.canParse(url) ? new URL(url).origin : url;
    let origin = this.origins.get(key);
    if (!origin) {
      origin = { key, waiting: [], active: 0, failures: 0, openUntilMs: 0, isRunnable: false };
      this.origins.set(key, origin);
    }
    return origin;
  }
}
