import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';

const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Follows a pool from its beginning. What it returns ends the pool, and waits (two seconds at most) until the server has
 * let go of every connection. The pool's own end does not: a server that is stopped right after it still finds them, and
 * cuts them.
 */
export function followPool(pool: pg.Pool): () => Promise<void> {
  const open = new Set<unknown>();
  const { promise: allGone, resolve } = Promise.withResolvers<void>();
  let isEnding = false;
  pool.on('connect', (client) => open.add(client));
  pool.on('remove', (client) => {
    open.delete(client);
    if (isEnding && open.size === 0) resolve();
  });
  return async () => {
    isEnding = true;
    await pool.end();
    if (open.size > 0) await Promise.race([allGone, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  };
}
