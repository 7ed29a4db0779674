interface Flow {
  /** The finish of its last item. */
  finish: number;
  /** How many of its items are here. */
  waiting: number;
}

interface Ready<T> {
  readonly item: T;
  /** When it begins and is through where all that wait are served at once, each flow by its weight. */
  readonly start: number;
  readonly finish: number;
  /** Null for what came back. */
  readonly flow: Flow | null;
}

/** With more flows than this, those of which nothing waits are forgotten: they start anew. */
const MAX_FLOWS = 1024;

/**
 * What waits at a carrier whose pace or window is full, in fair turns: a flow (what one tenant sends in one lane) gets its
 * share of what leaves by its weight, however much of others came before it. This is fair queueing in virtual time: an item
 * starts where the one before it in its flow finishes, or now, it finishes its cost later, and the earliest finish leaves
 * first. Now is the latest start of what has left.
 */
export class ReadyQueue<T> {
  private items: Ready<T>[] = [];
  private readonly flows = new Map<string, Flow>();
  private now = 0;

  get size(): number {
    return this.items.length;
  }

  /** What leaves next. */
  get first(): T | undefined {
    return this.items[0]?.item;
  }

  /** @param cost what it takes of the carrier's pace, by the weight of its flow; above 0 */
  push(item: T, name: string, cost: number): void {
    const flow = this.flow(name);
    const start = Math.max(this.now, flow.finish);
    const finish = start + cost;
    flow.finish = finish;
    flow.waiting++;
    let index = this.items.length;
    while (index > 0 && this.items[index - 1]!.finish > finish) index--;
    this.items.splice(index, 0, { item, start, finish, flow });
  }

  /** What left and came back is first again. */
  unshift(item: T): void {
    this.items.unshift({ item, start: this.now, finish: this.now, flow: null });
  }

  shift(): T | undefined {
    const ready = this.items.shift();
    if (!ready) return undefined;
    this.now = Math.max(this.now, ready.start);
    if (ready.flow) ready.flow.waiting--;
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

  private flow(name: string): Flow {
    let flow = this.flows.get(name);
    if (!flow) {
      // Each look through them frees most of the places: no more wait than a link holds.
      if (this.flows.size >= MAX_FLOWS) this.forget();
      flow = { finish: 0, waiting: 0 };
      this.flows.set(name, flow);
    }
    return flow;
  }

  private forget(): void {
    for (const [name, { waiting }] of this.flows) if (waiting === 0) this.flows.delete(name);
  }
}
