import type { StoredEvent } from '../../shared/define-event.js';

/**
 * The newest events that were read from a log: one unbroken run of positions, so that several readers of the same
 * pages ask the database once. It holds only what was read from the database, committed, and an event never changes:
 * what it answers is what the database would have answered.
 */
export class RecentEvents {
  private events: StoredEvent[] = [];

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

  /** Takes in a page of the log. Older events than those here are left out; a gap starts the run anew after it. */
  add(page: readonly StoredEvent[]): void {
    for (const event of page) {
      if (event.position <= this.last) continue;
      if (event.position !== this.last + 1) this.events = [];
      this.events.push(event);
    }
    if (this.events.length > 2 * this.capacity) this.events = this.events.slice(-this.capacity);
  }

  clear(): void {
    this.events = [];
  }
}
