interface Ready<T> {
  readonly item: T;
  readonly start: number;
}

/** With more flows than this, all start anew: who had more turns than others is forgotten. */
const MAX_FLOWS = 1024;

/**
 * What waits at a carrier whose pace or window is full, in fair turns: a flow (what one tenant sends in one lane) gets its
 * share of what leaves by its weight, however much of another flow came before it. This is start-time fair queueing: an
 * item starts where the one before it in its flow finishes, or now, and the earliest start leaves first.
 */
export class ReadyQueue<T> {
  private items: Ready<T>[] = [];
  /** Where the next item of each flow may start. */
  private readonly flows = new Map<string, number>();
  /** The start of what left last. */
  private now = 0;

  get size(): number {
    return this.items.length;
  }

  /** What leaves next. */
  get first(): T | undefined {
    return this.items[0]?.item;
  }

  /** @param weight the share of its flow in what leaves, against the weights of the others; at least 1 */
  push(item: T, flow: string, weight: number): void {
    const start = Math.max(this.now, this.flows.get(flow) ?? 0);
    if (this.flows.size > MAX_FLOWS) this.flows.clear();
    this.flows.set(flow, start + 1 / weight);
    let index = this.items.length;
    while (index > 0 && this.items[index - 1]!.start > start) index--;
    this.items.splice(index, 0, { item, start });
  }

  /** What left and came back is first again. */
  unshift(item: T): void {
    this.items.unshift({ item, start: this.now });
  }

  shift(): T | undefined {
    const ready = this.items.shift();
    if (!ready) return undefined;
    this.now = ready.start;
    if (this.items.length === 0) this.startOver();
    return ready.item;
  }

  /** Empties it; what was in it, in the order in which it would have left. */
  clear(): T[] {
    const items = this.items.map(({ item }) => item);
    this.items = [];
    this.startOver();
    return items;
  }

  private startOver(): void {
    this.flows.clear();
    this.now = 0;
  }
}
