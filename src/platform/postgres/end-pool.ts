import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';

const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Ends a pool, and waits (two seconds at most) until the server has let go of its connections. The pool's own end does
 * not: a server that is stopped right after it still finds them, and cuts them.
 */
export async function endPool(pool: pg.Pool): Promise<void> {
  let open = pool.totalCount;
  const gone = new Promise<void>((resolve) => {
    if (open === 0) resolve();
    pool.on('remove', () => {
      open -= 1;
      if (open === 0) resolve();
    });
  });
  await pool.end();
  await Promise.race([gone, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
}
