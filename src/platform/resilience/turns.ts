/** Who waits for a turn. */
interface Waiter {
  readonly sinceMs: number;
  readonly isGone: () => boolean;
  readonly start: () => void;
  readonly refuse: () => void;
}

export interface TurnsSettings {
  /** How many run at a time. */
  readonly running: number;
  /** How many wait; one more is refused. */
  readonly waiting: number;
  /** Whoever waited longer is refused when its turn comes. */
  readonly maxWaitMs: number;
}

/**
 * A bulkhead with a short line before it: few run at a time, some wait, the rest is refused at once. Who has given up by
 * the time its turn comes is passed over.
 */
export class Turns {
  private line: Waiter[] = [];
  private active = 0;

  constructor(
    private readonly settings: TurnsSettings,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get running(): number {
    return this.active;
  }

  get waiting(): number {
    return this.line.length;
  }

  /**
   * Asks for a turn: `start` is called with it, now or later, and owes an `end`; or `refuse` is called.
   *
   * @param isGone whether nobody wants the answer any more
   */
  enter(isGone: () => boolean, start: () => void, refuse: () => void): void {
    if (this.active < this.settings.running) {
      this.active++;
      start();
    } else if (this.hasPlace()) {
      this.line.push({ sinceMs: this.now(), isGone, start, refuse });
    } else refuse();
  }

  /** Whether one more may wait, in the place of those that have gone if need be. */
  private hasPlace(): boolean {
    if (this.line.length < this.settings.waiting) return true;
    const gone = this.line.filter((waiter) => waiter.isGone());
    if (gone.length === 0) return false;
    this.line = this.line.filter((waiter) => !gone.includes(waiter));
    for (const waiter of gone) waiter.refuse();
    return true;
  }

  /** A turn is over: whoever has waited longest and still wants it is next. */
  end(): void {
    this.active--;
    while (this.active < this.settings.running) {
      const next = this.line.shift();
      if (!next) return;
      if (next.isGone() || this.now() - next.sinceMs > this.settings.maxWaitMs) {
        next.refuse();
        continue;
      }
      this.active++;
      next.start();
    }
  }
}
