/**
 * Takes out of node_modules what a production start never reads, for the container image; run after
 * `npm ci --omit=dev`, which leaves whatever some package would like to have beside it.
 *
 *   node scripts/slim-packages.mjs            removes
 *   node scripts/slim-packages.mjs --list     prints the packages that stay, by their path, and removes nothing
 *
 * `--root <folder>` takes another project than this one. Licences stay.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Types, source maps and manuals; and Prisma's compilers for databases that are not PostgreSQL. */
const UNREAD =
  /\.map$|\.d\.[cm]?ts$|(?:^|\/)(?:readme|changelog|history)[^/]*\.md$|@prisma\/client\/runtime\/.*\.(?:cockroachdb|mysql|sqlite|sqlserver)\./i;

/** Where Node finds a package that another one asks for: beside it, or in a folder above. */
function locate(packages, from, name) {
  for (let at = from; ; ) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (packages[path]) return path;
    if (at === '') return null;
    at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '';
  }
}

/** What a package needs: an optional dependency is one that it uses where it can be installed, an optional peer is not. */
function needsOf({ dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }) {
  const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
  return [...Object.keys(dependencies), ...Object.keys(optionalDependencies), ...peers];
}

/** The packages that the project's dependencies lead to, by their path in the lock file. */
function reachable(packages) {
  const seen = new Set(['']);
  for (const at of seen) {
    for (const name of needsOf(packages[at])) {
      const path = locate(packages, at, name);
      if (path) seen.add(path);
    }
  }
  seen.delete('');
  return seen;
}

function removeUnread(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (UNREAD.test(join(folder, name))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { root: { type: 'string' }, list: { type: 'boolean' } } });
const root = resolve(values.root ?? join(import.meta.dirname, '..'));
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const kept = reachable(packages);
if (kept.size === 0) throw new Error(`the lock file in ${root} names no dependency`);

if (values.list) for (const path of [...kept].sort()) console.log(path);
else {
  const unneeded = Object.keys(packages).filter(
    (path) => path !== '' && !kept.has(path) && existsSync(join(root, path)),
  );
  // A package that stays may lie within one that need not: its holder stays too.
  const holders = unneeded.filter((path) => ![...kept].some((other) => other.startsWith(`${path}/`)));
  for (const path of holders) rmSync(join(root, path), { recursive: true, force: true });
  removeUnread(join(root, 'node_modules'));
  console.log(`${kept.size} packages stay, ${holders.length} went`);
}
