import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAYERS, ownerOf } from './architecture.mjs';
import { crossingsOf } from './cruise.mjs';
import { SCAN_RULES, scanSource } from './source-scan.mjs';

/**
 * A broken rule: where it is written (`file:line`), what it reaches, between whom if the paths do not say it, and the
 * rule's comment, which is a reason and a way out.
 *
 * @typedef {object} Violation
 * @property {string} rule
 * @property {string} from
 * @property {string} [to]
 * @property {string[]} [between]
 * @property {string} [written]
 * @property {string[]} [cycle]
 * @property {string} comment
 */

/** Files that no layer and no module claims, modules without files, and what the compiler would not compile. */
export function checkPlaces(architecture, { files, links }) {
  const violations = [];
  const names = Object.keys(architecture.modules);
  for (const name of names.filter((module) => !files.some((file) => file.startsWith(`src/modules/${module}/`)))) {
    violations.push({
      rule: 'module-without-files',
      from: 'architecture.json',
      between: [name],
      comment: `${name} is declared and has no file. Way out: remove it from architecture.json, or correct its name.`,
    });
  }
  for (const link of links) {
    violations.push({
      rule: 'no-symbolic-link',
      from: link,
      comment: 'a link gives a file a second place, with the rights of that place. Way out: move the file.',
    });
  }
  for (const file of files) {
    const fault = faultOfPlace(file, architecture);
    if (fault) violations.push({ from: file, ...fault });
  }
  return violations;
}

function faultOfPlace(file, { modules, surroundings }) {
  if (!file.endsWith('.ts')) {
    return {
      rule: 'typescript-only',
      comment: 'only .ts is compiled and checked. Way out: write it in TypeScript with the extension .ts.',
    };
  }
  const [, place, module, inside] = /^src\/([^/]+)(?:\/([^/]+)(?:\/(.+))?)?$/.exec(file);
  if (place !== 'modules') {
    if (Object.hasOwn(surroundings, module ? place : place.replace('.spec.ts', '.ts'))) return null;
    return {
      rule: 'a-place-for-every-file',
      comment: `src/ holds modules/, ${Object.keys(surroundings).join(', ')}. Way out: move the file to the part that owns it.`,
    };
  }
  if (!inside || !Object.hasOwn(modules, module)) {
    return {
      rule: 'undeclared-module',
      comment: `no module ${module} is declared, so no wall protects it. Way out: declare it in architecture.json with whom it calls and hears, and run \`node scripts/boundaries.mjs generate\`.`,
    };
  }
  if (LAYERS.includes(inside.split('/')[0]) && inside.includes('/')) return null;
  if (inside === `${module}.module.ts` || /^[^/]+\.spec\.ts$/.test(inside)) return null;
  return {
    rule: 'a-layer-for-every-file',
    comment: `a module has ${LAYERS.join('/, ')}/ and its ${module}.module.ts; no layer rule covers anything else. Way out: move the file to its layer.`,
  };
}

/** Calls and subscriptions that architecture.json allows and no production code uses. */
export function checkStale(architecture, modules) {
  const crossings = crossingsOf(modules);
  return Object.entries(architecture.modules).flatMap(([from, declared]) =>
    ['calls', 'hears'].flatMap((verb) =>
      declared[verb]
        .filter((to) => !crossings.some((used) => used.from === from && used.to === to && used[verb]))
        .map((to) => ({
          rule: 'stale-declaration',
          from: 'architecture.json',
          between: [from, to],
          comment: `it says that ${from} ${verb} ${to}, and no file of ${from} imports that: a door nobody uses invites the wrong guest. Way out: remove ${to} from "${verb}" of ${from}.`,
        })),
    ),
  );
}

/**
 * Holds the rules that need the syntax tree, and compares what TypeScript sees with what dependency-cruiser judged, so
 * that an import the latter does not understand is an error and no gap.
 *
 * @returns {{violations: Violation[], written: Map<string, {text: string, line: number}>}} written: each import as it
 *   stands in its file, keyed by the file and the specifier as dependency-cruiser reports it
 */
export function checkSources(root, files, modules) {
  const { name: packageName } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const judged = new Map(
    modules.map(({ source, dependencies }) => [source, new Set(dependencies.map((d) => bare(d.module)))]),
  );
  const violations = [];
  const written = new Map();
  for (const file of files) {
    const { specifiers, findings } = scanSource(file, readFileSync(join(root, file), 'utf8'), packageName);
    for (const { text, line } of specifiers) {
      const key = `${file} ${bare(text)}`;
      if (!written.has(key)) written.set(key, { text, line });
      if (!judged.get(file)?.has(bare(text))) violations.push(unjudged(file, line, text));
    }
    for (const { rule, line, text } of findings) {
      violations.push({ rule, from: `${file}:${line}`, written: text, comment: SCAN_RULES[rule] });
    }
  }
  return { violations, written };
}

/** A specifier as dependency-cruiser reports it: without the scheme of Node's built-ins. */
export const bare = (specifier) => specifier.replace(/^node:/, '');

function unjudged(file, line, text) {
  return {
    rule: 'every-import-is-judged',
    from: `${file}:${line}`,
    written: text,
    comment:
      'dependency-cruiser does not see this import, so no rule judged it. Way out: write it as a plain import statement.',
  };
}

/** A violation as text: the rule, the offender, both owners, why, and the way out. */
export function describe({ rule, from, to, between, written, cycle, comment }) {
  const [why, wayOut] = comment.split(/\.? Way out: /);
  const owners = between ?? [from, to].filter(Boolean).map(ownerOf);
  const verb = to ? 'imports' : 'has';
  const target = to && to !== written ? ` (${to})` : '';
  return [
    `${rule}: ${owners.join(' -> ')}`,
    `  ${from}${written ? ` ${verb} '${written}'` : ''}${target}`,
    ...(cycle ? [`  cycle: ${cycle.join(' -> ')}`] : []),
    `  why: ${why}`,
    `  way out: ${wayOut}`,
  ].join('\n');
}
