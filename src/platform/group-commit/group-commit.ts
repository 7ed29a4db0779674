import { types } from 'node:util';
import { Failure } from '../../shared/failure.js';

export interface GroupCommitOptions<I> {
  /** The most items that travel in one group. */
  readonly maxBatch: number;
  /** The most groups under way at once. */
  readonly maxInFlight: number;
  /** The most items that wait; one more is refused with `unavailable`, or with `queue_full` where its owner has its share. */
  readonly maxQueued: number;
  /** While another group is under way, how long an item may wait for company before its group leaves anyway. */
  readonly gatherMs: number;
  /**
   * Whose an item is: the owners of what waits take turns in a group, and none has more than half of what may wait.
   * Without it, items leave in the order in which they came.
   */
  readonly ownerOf?: (item: I) => string;
}

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (result: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets concurrent requests share their round trips and commits. An item that finds nothing under way leaves at once;
 * items that come while a group is under way gather and leave together. `run` answers each item by its place; an
 * answer that is an Error rejects that item alone.
 */
export class GroupCommit<I, O> {
  private readonly lines = new Map<string, Waiting<I, O>[]>();
  private waiting = 0;
  private inFlight = 0;
  private timer: NodeJS.Timeout | null = null;
  private scheduled = false;
  private idle: (() => void)[] = [];

  /** @throws RangeError when an option would let no item leave */
  constructor(
    private readonly run: (items: I[]) => Promise<(O | Error)[]>,
    private readonly options: GroupCommitOptions<I>,
  ) {
    const { maxBatch, maxInFlight, maxQueued, gatherMs } = options;
    if (!(maxBatch >= 1 && maxInFlight >= 1 && maxQueued >= 1 && gatherMs >= 0)) {
      throw new RangeError('maxBatch, maxInFlight and maxQueued must be at least 1, gatherMs at least 0');
    }
  }

  /** How many items wait for a group to leave. */
  get queued(): number {
    return this.waiting;
  }

  /** @throws Failure `unavailable` when too many items wait, `queue_full` when too many of its owner's do; whatever `run` says of this item or of its group */
  submit(item: I): Promise<O> {
    const { maxQueued, ownerOf } = this.options;
    const owner = ownerOf ? ownerOf(item) : '';
    const line = this.lines.get(owner);
    // First whether it is the owner's own doing: who is over its share learns that, whatever the others have waiting.
    const isOver = ownerOf !== undefined && (line?.length ?? 0) >= maxQueued / 2;
    if (isOver || this.waiting >= maxQueued) {
      return Promise.reject(new Failure(isOver ? 'queue_full' : 'unavailable', { retryAfterSeconds: 1 }));
    }
    return new Promise<O>((resolve, reject) => {
      if (line) line.push({ item, resolve, reject });
      else this.lines.set(owner, [{ item, resolve, reject }]);
      this.waiting++;
      this.schedule();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  async drain(): Promise<void> {
    while (this.waiting > 0 || this.inFlight > 0) {
      await new Promise<void>((resolve) => this.idle.push(resolve));
    }
  }

  private schedule(): void {
    // With as many groups under way as there may be, the next one leaves when one of them returns.
    if (this.scheduled || this.inFlight >= this.options.maxInFlight) return;
    if (this.inFlight === 0 || this.waiting >= this.options.maxBatch) {
      // After the turn, so that requests that arrived in the same turn leave in the same group.
      this.scheduled = true;
      setImmediate(() => {
        this.scheduled = false;
        this.leave();
      });
    } else if (!this.timer) {
      this.timer = setTimeout(() => this.leave(), this.options.gatherMs);
    }
  }

  private leave(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.waiting === 0 || this.inFlight >= this.options.maxInFlight) return;
    const batch = this.nextGroup();
    this.inFlight++;
    void this.carry(batch).finally(() => {
      this.inFlight--;
      if (this.waiting > 0) this.leave();
      else if (this.inFlight === 0) for (const resolve of this.idle.splice(0)) resolve();
    });
    if (this.waiting > 0) this.schedule();
  }

  /** An equal share of every owner; whoever had one stands behind the others, in the next group too. */
  private nextGroup(): Waiting<I, O>[] {
    const { maxBatch } = this.options;
    const group: Waiting<I, O>[] = [];
    while (group.length < maxBatch && this.lines.size > 0) {
      const share = Math.max(1, Math.floor((maxBatch - group.length) / this.lines.size));
      for (const [owner, line] of [...this.lines]) {
        if (group.length >= maxBatch) break;
        group.push(...line.splice(0, share));
        this.lines.delete(owner);
        if (line.length > 0) this.lines.set(owner, line);
      }
    }
    this.waiting -= group.length;
    return group;
  }

  private async carry(batch: Waiting<I, O>[]): Promise<void> {
    try {
      const results = await this.run(batch.map((waiting) => waiting.item));
      if (results.length !== batch.length) {
        throw new Error(`a group of ${batch.length} items was given ${results.length} answers`);
      }
      batch.forEach((waiting, index) => {
        const result = results[index] as O | Error;
        // Errors of Node's core are no instances of this realm's Error under some runners.
        if (types.isNativeError(result)) waiting.reject(result);
        else waiting.resolve(result);
      });
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }
}
