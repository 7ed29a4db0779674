/**
 * The walls of the modular monolith. architecture.json says which module may call and hear which; this turns it into
 * the rules of dependency-cruiser and holds src/ to them.
 *
 *   node scripts/boundaries.mjs             checks; exits 1 on a violation, and when it has not seen every file
 *   node scripts/boundaries.mjs generate    writes .dependency-cruiser.js from architecture.json
 *
 * `--root <folder>` takes another project than this one. SQL in strings is beyond imports: the database's roles refuse
 * that.
 */
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readArchitecture } from './boundaries/architecture.mjs';
import { checkPlaces, checkSources, checkStale, describe } from './boundaries/checks.mjs';
import { cruiseSources, sourcesOf } from './boundaries/cruise.mjs';
import { render } from './boundaries/render.mjs';
import { configurationOf } from './boundaries/rules.mjs';

const RULES_FILE = '.dependency-cruiser.js';

function generate(root) {
  writeFileSync(join(root, RULES_FILE), render(configurationOf(readArchitecture(root))));
  console.log(`${RULES_FILE} written`);
}

async function check(root) {
  const architecture = readArchitecture(root);
  const sources = sourcesOf(root);
  if (sources.files.length === 0) throw new Error('there is no source file in src/, so nothing is proven');
  const { modules, violations, comments } = await cruiseSources(root);
  assertAllSeen(sources.files, modules);
  assertFresh(root, architecture);
  const scanned = checkSources(root, sources.files, modules);
  const all = [
    ...checkPlaces(architecture, sources),
    ...checkStale(architecture, modules),
    ...scanned.violations,
    ...onePerCycle(violations).map((violation) => judged(violation, comments, scanned.written)),
  ];
  if (all.length > 0) {
    throw new Error(
      `${all.map(describe).join('\n\n')}\n\n${all.length} ${all.length === 1 ? 'violation' : 'violations'}`,
    );
  }
  const dependencies = modules.reduce((sum, module) => sum + module.dependencies.length, 0);
  console.log(`${modules.length} modules, ${dependencies} dependencies, no violations`);
}

function assertFresh(root, architecture) {
  if (readFileSync(join(root, RULES_FILE), 'utf8') === render(configurationOf(architecture))) return;
  throw new Error(`${RULES_FILE} is not what architecture.json says; way out: node scripts/boundaries.mjs generate`);
}

/** A linter that sees nothing finds nothing: what it saw is counted against what is on disk. */
function assertAllSeen(files, modules) {
  const seen = new Set(modules.map(({ source }) => source));
  const unseen = files.filter((file) => !seen.has(file));
  if (unseen.length === 0) return;
  throw new Error(
    `dependency-cruiser saw ${files.length - unseen.length} of ${files.length} source files in src/, so nothing is proven. ` +
      `Not seen: ${unseen.slice(0, 5).join(', ')}${unseen.length > 5 ? ' …' : ''}. ` +
      `Way out: look at the parser and at the filters in the options of ${RULES_FILE}`,
  );
}

/** A violation that dependency-cruiser found, with the line and the words of the import. */
function judged({ rule, from, to, unresolvedTo, cycle }, comments, written) {
  const found = written.get(`${from} ${unresolvedTo ?? to}`);
  return {
    rule: rule.name,
    from: found ? `${from}:${found.line}` : from,
    to,
    written: found?.text ?? unresolvedTo,
    cycle: cycle && [from, ...cycle.map(({ name }) => name)],
    comment: comments.get(rule.name),
  };
}

/** Each file of a cycle reports it; one report is enough. */
function onePerCycle(violations) {
  const seen = new Set();
  return violations.filter(({ cycle }) => {
    if (!cycle) return true;
    const files = cycle
      .map(({ name }) => name)
      .sort()
      .join(' ');
    if (seen.has(files)) return false;
    seen.add(files);
    return true;
  });
}

const COMMANDS = { check, generate };

try {
  const { values, positionals } = parseArgs({ options: { root: { type: 'string' } }, allowPositionals: true });
  const command = positionals[0] ?? 'check';
  if (!Object.hasOwn(COMMANDS, command) || positionals.length > 1) {
    throw new Error(`unknown command ${positionals.join(' ')}: give none to check, or generate`);
  }
  await COMMANDS[command](realpathSync(resolve(values.root ?? join(import.meta.dirname, '..'))));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
