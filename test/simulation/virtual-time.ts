import type { Random } from './random.js';
import type { Timer, World } from './world.js';

/** The instant at which every world begins. */
export const EPOCH_MS = 1_800_000_000_000;

/**
 * Gives this realm the world's clock, its timers and its chance, until the function that it returns is called. A timer
 * belongs to the process whose code set it. What the product's code reads of them it reads as always.
 */
export function enter(world: World, chance: Random): () => void {
  const realm = globalThis as unknown as Record<string, unknown>;
  const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'performance'];
  const kept = names.map((name) => Object.getOwnPropertyDescriptor(realm, name)!);
  const [dateNow, random] = [Date.now, Math.random];
  const cancel = (timer: Timer | undefined | null) => world.cancel(timer);
  const given: Record<string, unknown> = {
    setTimeout: (run: () => void, ms = 0) => world.after(world.current, ms, run),
    clearTimeout: cancel,
    setInterval: (run: () => void, ms = 0) => world.after(world.current, ms, run, ms),
    clearInterval: cancel,
    setImmediate: (run: () => void) => world.later(world.current, 'the turn ends', run, { withinMs: 5 }),
    performance: { now: () => world.nowMs },
  };
  for (const name of names) {
    Object.defineProperty(realm, name, { value: given[name], configurable: true, writable: true });
  }
  Date.now = () => EPOCH_MS + Math.floor(world.nowMs);
  Math.random = chance.next;
  const { stackTraceLimit } = Error;
  // Many errors are made in a world, and nobody looks where.
  Error.stackTraceLimit = 0;
  return () => {
    names.forEach((name, index) => void Object.defineProperty(realm, name, kept[index]!));
    Date.now = dateNow;
    Math.random = random;
    Error.stackTraceLimit = stackTraceLimit;
  };
}
