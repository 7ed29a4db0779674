import type { StoredEvent } from '../../shared/define-event.js';

/** At most how many pages wait for what is before them. */
const MAX_AHEAD = 64;

/**
 * The newest events of a log: one unbroken run of positions, so that several readers of the same pages ask the database
 * once, and not at all for what this process wrote itself. It holds only what is committed, and an event never changes:
 * what it answers is what the database would have answered.
 */
export class RecentEvents {
  private events: StoredEvent[] = [];
  /** Pages that lie beyond a gap, by the position of their first event. */
  private readonly ahead = new Map<number, readonly StoredEvent[]>();

  /** @param capacity at most about how many events are kept; in truth never more than twice as many */
  constructor(private readonly capacity: number) {}

  /** The position of the newest event here; 0 when there is none. */
  get last(): number {
    return this.events.at(-1)?.position ?? 0;
  }

  /** The events that follow a position, at most `limit`; empty where the one that follows it is not here. */
  after(position: number, limit: number): StoredEvent[] {
    const first = this.events[0]?.position;
    if (first === undefined || position + 1 < first) return [];
    const from = position + 1 - first;
    return this.events.slice(from, from + limit);
  }

  /** Takes in a page that was read. Older events than those here are left out; a gap starts the run anew after it. */
  add(page: readonly StoredEvent[]): void {
    this.take(page);
    for (let next = this.nextAhead(); next; next = this.nextAhead()) this.take(next);
  }

  /**
   * Takes in a page that this process has committed. Where it does not follow what is here, another process's events
   * stand between, or a commit whose answer is still on its way: it waits until they are here.
   */
  offer(page: readonly StoredEvent[]): void {
    const first = page[0]?.position ?? 0;
    if (this.last === 0 || first <= this.last + 1) {
      this.add(page);
      return;
    }
    // Nobody reads on, or not from here: the database has it all.
    if (this.ahead.size >= MAX_AHEAD) this.ahead.clear();
    this.ahead.set(first, page);
  }

  private nextAhead(): readonly StoredEvent[] | undefined {
    for (const [first, page] of this.ahead) {
      if (first > this.last + 1) continue;
      this.ahead.delete(first);
      return page;
    }
    return undefined;
  }

  private take(page: readonly StoredEvent[]): void {
    for (const event of page) {
      if (event.position <= this.last) continue;
      if (event.position !== this.last + 1) this.events = [];
      this.events.push(event);
    }
    if (this.events.length > 2 * this.capacity) this.events = this.events.slice(-this.capacity);
  }

  clear(): void {
    this.events = [];
    this.ahead.clear();
  }
}
