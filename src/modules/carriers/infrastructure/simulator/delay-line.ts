/** Items due within one tick leave together, by one timer. */
const TICK_MS = 5;

/** Hands items on after a time of their own, rounded up to a tick: one timer for each tick in use, not for each item. */
export class DelayLine<T> {
  private readonly buckets = new Map<number, { readonly timer: NodeJS.Timeout; readonly items: T[] }>();

  constructor(private readonly due: (items: readonly T[]) => void) {}

  add(item: T, delayMs: number): void {
    const now = performance.now();
    const tick = Math.ceil((now + delayMs) / TICK_MS);
    const bucket = this.buckets.get(tick);
    if (bucket !== undefined) {
      bucket.items.push(item);
      return;
    }
    const items = [item];
    const timer = setTimeout(
      () => {
        this.buckets.delete(tick);
        this.due(items);
      },
      tick * TICK_MS - now,
    );
    this.buckets.set(tick, { timer, items });
  }

  /** Forgets everything that is not due yet. */
  clear(): void {
    for (const { timer } of this.buckets.values()) clearTimeout(timer);
    this.buckets.clear();
  }
}
