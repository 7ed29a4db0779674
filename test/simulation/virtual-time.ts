import type { Random } from './random.js';
import type { Timer, World } from './world.js';

/** The instant at which every world begins. */
export const EPOCH_MS = 1_800_000_000_000;

/** Whose clock, timers and chance this realm has at present; null: its own. */
let world: World | null = null;
let chance: Random | null = null;
let isInstalled = false;

/**
 * Gives this realm the world's clock, its timers and its chance, until the function that it returns is called. A timer
 * belongs to the process whose code set it. What the product's code reads of them it reads as always.
 */
export function enter(entered: World, itsChance: Random): () => void {
  if (!isInstalled) install();
  isInstalled = true;
  world = entered;
  chance = itsChance;
  const { stackTraceLimit } = Error;
  // Many errors are made in a world, and nobody looks where.
  Error.stackTraceLimit = 0;
  return () => {
    world = null;
    chance = null;
    Error.stackTraceLimit = stackTraceLimit;
  };
}

/** Between two looks of a loop that has nothing to do; every timer may be late. */
function isNap(ms: number): boolean {
  return ms >= 200 && ms <= 1_000;
}

/** Once for all worlds: whoever replaces globals again and again has everything that uses them compiled anew. */
function install(): void {
  const realm = globalThis as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = {
    ...realm,
    setTimeout,
    clearTimeout,
    setInterval,
    clearInterval,
    setImmediate,
  } as unknown as typeof realm;
  const [dateNow, random, monotonic] = [Date.now, Math.random, performance.now.bind(performance)];
  const given: Record<string, (inside: World, ...args: never[]) => unknown> = {
    setTimeout: (inside, run: () => void, ms = 0) =>
      inside.after(inside.current, isNap(ms) ? Math.max(ms, inside.pace.napMs) : ms, run),
    setInterval: (inside, run: () => void, ms = 0) => inside.after(inside.current, ms, run, ms),
    clearTimeout: (inside, timer: Timer | undefined | null) => inside.cancel(timer),
    clearInterval: (inside, timer: Timer | undefined | null) => inside.cancel(timer),
    setImmediate: (inside, run: () => void) => inside.later(inside.current, 'the turn ends', run, { withinMs: 5 }),
  };
  for (const [name, virtual] of Object.entries(given)) {
    const value = (...args: unknown[]) => (world ? virtual(world, ...(args as never[])) : real[name]!(...args));
    Object.defineProperty(realm, name, { value, configurable: true, writable: true });
  }
  Date.now = () => (world ? EPOCH_MS + Math.floor(world.nowMs) : dateNow());
  Math.random = () => (chance ? chance.next() : random());
  performance.now = () => (world ? world.nowMs : monotonic());
}
