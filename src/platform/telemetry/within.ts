/** A call took longer than it may. */
export class TimeLimitError extends Error {
  constructor(limitMs: number) {
    super(`not done within ${limitMs} ms`);
    this.name = 'TimeLimitError';
  }
}

/**
 * Waits for work, but not for ever. The work itself goes on where it cannot be stopped; its late outcome is dropped.
 *
 * @throws TimeLimitError after `limitMs`, or whatever the work throws
 */
export async function within<T>(limitMs: number, work: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeLimitError(limitMs)), limitMs);
  });
  try {
    return await Promise.race([Promise.resolve().then(work), limit]);
  } finally {
    clearTimeout(timer);
  }
}
