import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  readonly what: string;
  readonly timeoutMs: number;
  readonly everyMs?: number;
}

/** Asks until the answer is not false, null or undefined; throws when it is not within the time. */
export async function waitFor<T>(
  ask: () => T | Promise<T>,
  { what, timeoutMs, everyMs = 20 }: WaitOptions,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as Exclude<T, false | null | undefined>;
    if (performance.now() > deadline) throw new Error(`not within ${Math.round(timeoutMs / 1_000)} s: ${what}`);
    await delay(everyMs);
  }
}

/** Starts something again and again until the work is done, and waits for what it has under way. */
export async function during<T>(work: Promise<T>, step: () => Promise<void>): Promise<T> {
  let isOver = false;
  const loop = (async () => {
    while (!isOver) await step();
  })();
  try {
    return await work;
  } finally {
    isOver = true;
    await loop;
  }
}
