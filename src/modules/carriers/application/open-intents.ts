import type { Intended } from '../domain/submission.js';

/** A key that is settled: answered, or given back. */
export interface Settled {
  readonly intentId: string;
  readonly key: string;
  readonly returned: boolean;
}

/** The keys that are durable and have no answer yet, by the intent that holds them. */
export class OpenIntents {
  private readonly intents = new Map<string, Set<string>>();
  private readonly keys = new Map<string, string>();

  add(intentId: string, items: readonly Pick<Intended, 'key'>[]): void {
    this.intents.set(intentId, new Set(items.map((item) => item.key)));
    for (const item of items) this.keys.set(item.key, intentId);
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }

  get size(): number {
    return this.keys.size;
  }

  /**
   * What settling these keys does to their intents: those of which nothing is left are closed; in the others, what was
   * given back is marked, so that a crash does not take it for lost.
   */
  without(settled: readonly Settled[]): { closed: string[]; returned: Settled[] } {
    const byIntent = new Map<string, Settled[]>();
    for (const one of settled) {
      const list = byIntent.get(one.intentId);
      if (list) list.push(one);
      else byIntent.set(one.intentId, [one]);
    }
    const closed: string[] = [];
    const returned: Settled[] = [];
    for (const [id, list] of byIntent) {
      const gone = new Set(list.map((one) => one.key));
      const isClosed = [...(this.intents.get(id) ?? [])].every((key) => gone.has(key));
      if (isClosed) closed.push(id);
      else returned.push(...list.filter((one) => one.returned));
    }
    return { closed, returned };
  }

  /** The keys are written as settled, or were answered before. */
  settle(settled: readonly Pick<Settled, 'intentId' | 'key'>[]): void {
    for (const { intentId, key } of settled) {
      if (this.keys.get(key) === intentId) this.keys.delete(key);
      const intent = this.intents.get(intentId);
      intent?.delete(key);
      if (intent?.size === 0) this.intents.delete(intentId);
    }
  }
}
