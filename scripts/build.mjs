/**
 * Compiles src into dist, file by file: quick enough for every start in development. Types are checked by `npm run
 * types`, not here. A file that is unchanged since the last build is left alone, and what has no source any more goes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCE = join(ROOT, 'src');
const TARGET = join(ROOT, 'dist');
const LEFT_OUT = /\.(spec|test-support)\.ts$|\.d\.ts$/;

const sources = readdirSync(SOURCE, { recursive: true })
  .filter((name) => name.endsWith('.ts') && !LEFT_OUT.test(name))
  .map((name) => ({ from: join(SOURCE, name), to: join(TARGET, name.replace(/\.ts$/, '.js')) }));
const configuredAt = Math.max(...['.swcrc', 'scripts/build.mjs'].map((name) => statSync(join(ROOT, name)).mtimeMs));

function isFresh({ from, to }) {
  if (!existsSync(to)) return false;
  const builtAt = statSync(to).mtimeMs;
  return builtAt > statSync(from).mtimeMs && builtAt > configuredAt;
}

async function compile({ from, to }) {
  const filename = relative(ROOT, from);
  const { code, map } = await transform(readFileSync(from, 'utf8'), { filename, sourceFileName: from, cwd: ROOT });
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(`${to}.map`, map);
  writeFileSync(to, `${code}//# sourceMappingURL=${to.split('/').pop()}.map\n`);
}

function sweep() {
  if (!existsSync(TARGET)) return;
  const wanted = new Set(sources.flatMap(({ to }) => [to, `${to}.map`]));
  for (const name of readdirSync(TARGET, { recursive: true })) {
    const path = join(TARGET, name);
    if (!wanted.has(path) && statSync(path).isFile()) rmSync(path);
  }
}

const stale = sources.filter((source) => !isFresh(source));
await Promise.all(stale.map(compile));
sweep();
if (stale.length > 0) console.log(`built ${stale.length} of ${sources.length} files`);
