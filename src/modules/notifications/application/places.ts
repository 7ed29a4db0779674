/** No account, with however many endpoints, has more attempts under way. */
const MAX_PER_ACCOUNT = 128;

/** What an account has of a pool: the places it takes, and its endpoints that would take another, in turn. */
export interface Share<E> {
  used: number;
  readonly runnable: Set<E>;
  readonly owner: { readonly active: number };
}

/**
 * Places for attempts, which accounts share: each may take a part of what is free at the moment. So the fuller a pool is
 * the less each may take, and however many take all that they may, some is left for the next.
 */
export class PlacePool<E extends { readonly active: number; readonly isTried: boolean }> {
  private used = 0;
  /** Shares with something to start, by the places they take; those that take as many in turn. */
  private readonly lines: Set<Share<E>>[] = [];

  /**
   * @param size how many places there are
   * @param part one account takes at most 1 / `part` of what is free, and one at least
   */
  constructor(
    private readonly size: number,
    private readonly part: number,
  ) {}

  /** How many places one account may take at present. */
  get limit(): number {
    const free = this.size - this.used;
    return free > 0 ? Math.min(MAX_PER_ACCOUNT, Math.max(1, Math.floor(free / this.part))) : 0;
  }

  /**
   * An endpoint that may start something, of the account that takes the fewest places. None takes more than half of what
   * its account may, one that has not answered yet a sixteenth.
   */
  next(): E | undefined {
    const { limit } = this;
    const [most, trials] = [Math.ceil(limit / 2), Math.ceil(limit / 16)];
    for (let used = 0; used < Math.min(limit, this.lines.length); used++) {
      for (const { owner, runnable } of this.lines[used] ?? []) {
        if (owner.active >= MAX_PER_ACCOUNT) continue;
        for (const endpoint of runnable) if (endpoint.active < (endpoint.isTried ? most : trials)) return endpoint;
      }
    }
    return undefined;
  }

  /** Takes places for an account; a negative number gives them back. More than there are when they are taken already. */
  take(share: Share<E>, places: number): void {
    this.lines[share.used]?.delete(share);
    share.used += places;
    this.used += places;
    this.look(share);
  }

  /** Notes whether an account has something to start. */
  look(share: Share<E>): void {
    if (share.runnable.size === 0) this.lines[share.used]?.delete(share);
    else this.lineOf(share.used).add(share);
  }

  /** Has nobody start anything more. */
  clear(): void {
    for (const line of this.lines) line?.clear();
  }

  private lineOf(used: number): Set<Share<E>> {
    this.lines[used] ??= new Set();
    return this.lines[used];
  }
}
