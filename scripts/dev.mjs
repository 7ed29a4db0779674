/**
 * `npm run dev`: builds what has changed and goes on as the product. One process, so that a signal to npm reaches it: a
 * shell between the two would keep it to itself.
 */
import { spawnSync } from 'node:child_process';

const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);
await import('../dist/main.js');
