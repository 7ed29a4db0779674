import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MS = 15_000;
const STEP_MS = 2;

/** Waits until a condition holds; fails by name where it does not within the deadline. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(STEP_MS);
  }
}
