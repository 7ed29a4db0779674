import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
  /** What was waited for, for the message of a failure. */
  readonly what?: string | (() => string);
  /** An error of the condition ends the wait at once. */
  readonly fatal?: boolean;
}

/** Waits until a condition holds, with a deadline; the last error of the condition is in the message. */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 20_000, everyMs = 25, what = 'a condition', fatal = false }: EventuallyOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | null | undefined>;
      last = value;
    } catch (error) {
      if (fatal) throw error;
      last = error;
    }
    if (Date.now() >= deadline) {
      const described = typeof what === 'function' ? what() : what;
      throw new Error(
        `not within ${timeoutMs} ms: ${described} (last: ${last instanceof Error ? last.message : String(last)})`,
      );
    }
    await delay(everyMs);
  }
}
