import { setTimeout as delay } from 'node:timers/promises';

const TRIES = 20;
const RETRY_AFTER_MS = 250;

/**
 * What a good client does: a request that is answered 503 (the machine was too busy to accept it within its budget, and
 * nothing of it was done) is sent again a little later. Everything else is the caller's.
 */
export async function insist<T>(request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if ((error as { status?: number }).status !== 503 || attempt === TRIES) throw error;
    }
    await delay(RETRY_AFTER_MS);
  }
}
