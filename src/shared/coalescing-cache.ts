import { LRUCache } from 'lru-cache';

/** A cached answer; null: there is none, which is forgotten sooner. */
export interface CachedAnswer<V> {
  readonly value: V | null;
}

export type CoalescingCache<V> = LRUCache<string, CachedAnswer<V>>;

const FRESH_MS = 60_000;
const NEGATIVE_MS = 2_000;

/**
 * A bounded cache whose `forceFetch` loads what it does not hold: concurrent misses share one load, and an answer past
 * its time is served while it is loaded again. To be kept right by the events of what it caches.
 *
 * @param max entries
 * @param load the value of a key; null where there is none
 */
export function coalescingCache<V>(max: number, load: (key: string) => Promise<V | null>): CoalescingCache<V> {
  return new LRUCache<string, CachedAnswer<V>>({
    max,
    ttl: FRESH_MS,
    allowStale: true,
    // Where the database is gone, what is known stays known; what is not is an error, never an answer.
    noDeleteOnFetchRejection: true,
    // An answer that was evicted while it was loaded goes to whoever waits for it, and is not kept.
    ignoreFetchAbort: true,
    fetchMethod: async (key, _stale, { options }) => {
      const value = await load(key);
      if (value === null) options.ttl = NEGATIVE_MS;
      return { value };
    },
  });
}

/**
 * The value of a key; null where there is none. What is held and fresh is answered without the machinery of a load, which
 * costs more than all the rest of a look.
 */
export function answerOf<V>(cache: CoalescingCache<V>, key: string): Promise<V | null> {
  const fresh = cache.get(key, { allowStale: false, noDeleteOnStaleGet: true });
  return fresh ? Promise.resolve(fresh.value) : cache.forceFetch(key).then(({ value }) => value);
}
