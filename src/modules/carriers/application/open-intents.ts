import type { Intended, IntentRow } from '../infrastructure/submissions.repository.js';

/** The keys that are durable and have no answer yet, by the intent that holds them. */
export class OpenIntents {
  private readonly intents = new Map<string, Map<string, Intended>>();
  private readonly keys = new Map<string, string>();

  add(intentId: string, items: readonly Intended[]): void {
    this.intents.set(intentId, new Map(items.map((item) => [item.key, item])));
    for (const item of items) this.keys.set(item.key, intentId);
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }

  get size(): number {
    return this.keys.size;
  }

  /**
   * What becomes of the intents when these keys are settled: closed when none is left; shrunk when one was given back
   * and others are left, so that a crash does not take the one given back for a lost one.
   */
  without(settled: readonly { intentId: string; key: string; returned: boolean }[]): {
    closed: string[];
    shrunk: IntentRow[];
  } {
    const byIntent = new Map<string, { keys: Set<string>; returned: boolean }>();
    for (const { intentId, key, returned } of settled) {
      const entry = byIntent.get(intentId) ?? { keys: new Set(), returned: false };
      entry.keys.add(key);
      entry.returned ||= returned;
      byIntent.set(intentId, entry);
    }
    const closed: string[] = [];
    const shrunk: IntentRow[] = [];
    for (const [id, entry] of byIntent) {
      const left = [...(this.intents.get(id)?.values() ?? [])].filter((item) => !entry.keys.has(item.key));
      if (left.length === 0) closed.push(id);
      else if (entry.returned) shrunk.push({ id, items: left });
    }
    return { closed, shrunk };
  }

  /** The keys are written as settled. */
  settle(keys: readonly string[]): void {
    for (const key of keys) {
      const intentId = this.keys.get(key);
      if (intentId === undefined) continue;
      this.keys.delete(key);
      const intent = this.intents.get(intentId)!;
      intent.delete(key);
      if (intent.size === 0) this.intents.delete(intentId);
    }
  }
}
