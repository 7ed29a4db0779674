import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';

/** The layers of a module. Their meaning is fixed; what each may import stands in architecture.json. */
export const LAYERS = ['contract', 'domain', 'application', 'infrastructure', 'http'];

const names = z.array(z.string());
const part = z.strictObject({ imports: names, packages: names.optional() });

const architectureSchema = z.strictObject({
  modules: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), z.strictObject({ calls: names, hears: names })),
  layers: z.strictObject(Object.fromEntries(LAYERS.map((name) => [name, part]))),
  /** What else is in src/: folders, and the files that start a process. */
  surroundings: z.record(z.string().regex(/^[a-z][a-z0-9-]*(?:\.ts)?$/), part),
  packages: z.record(z.string(), z.strictObject({ only: names, because: z.string().min(1) })),
});

/**
 * Reads architecture.json and refuses it unless it describes a tower: known names, and no way from a module back to
 * itself by calls and subscriptions (a module may hear its own events).
 *
 * @param {string} root folder of the project
 * @throws {Error} whose message names architecture.json and the field at fault
 */
export function readArchitecture(root) {
  const file = join(root, 'architecture.json');
  let json;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`architecture.json cannot be read: ${error.message}`);
  }
  const parsed = architectureSchema.safeParse(json);
  if (!parsed.success) throw new Error(`architecture.json is not valid:\n${z.prettifyError(parsed.error)}`);
  assertKnownModules(parsed.data.modules);
  assertKnownParts(parsed.data);
  assertTower(parsed.data.modules);
  return parsed.data;
}

function assertKnownModules(modules) {
  for (const [module, declared] of Object.entries(modules)) {
    for (const verb of ['calls', 'hears']) {
      for (const other of declared[verb]) {
        if (!Object.hasOwn(modules, other))
          throw new Error(`architecture.json: ${module} ${verb} ${other}, which is no module`);
      }
    }
    if (declared.calls.includes(module)) throw new Error(`architecture.json: ${module} calls itself`);
  }
}

function assertKnownParts({ layers, surroundings, packages }) {
  const around = Object.keys(surroundings);
  const assertKnown = (field, given, known) => {
    const unknown = given.find((name) => !known.includes(name));
    if (unknown) throw new Error(`architecture.json: ${field} names ${unknown}; known are ${known.join(', ')}`);
  };
  for (const [name, { imports }] of Object.entries(layers)) {
    assertKnown(`layers.${name}.imports`, imports, [...LAYERS, ...around, 'other contracts']);
  }
  for (const [name, { imports }] of Object.entries(surroundings)) {
    assertKnown(`surroundings.${name}.imports`, imports, [...around, 'contracts', 'module files']);
  }
  for (const [name, { only }] of Object.entries(packages)) {
    assertKnown(`packages.${name}.only`, only, [...LAYERS, ...around]);
  }
}

function assertTower(modules) {
  for (const module of Object.keys(modules)) {
    const cycle = wayDown(modules, module, module);
    if (!cycle) continue;
    const steps = cycle.slice(1).map((next, i) => {
      const verb = modules[cycle[i]].calls.includes(next) ? 'calls' : 'hears';
      return `${cycle[i]} ${verb} ${next}`;
    });
    throw new Error(
      `architecture.json: the modules form a cycle: ${steps.join(', ')}. Modules are a tower and nothing runs upward. ` +
        'Way out: let the lower module publish an event that the upper one hears, or let the upper one call the lower.',
    );
  }
}

/** The modules on a shortest way of calls and subscriptions from one module to another, both included; null if none. */
export function wayDown(modules, from, to) {
  const ways = [[from]];
  const visited = new Set();
  for (const way of ways) {
    const last = way.at(-1);
    for (const next of [...modules[last].calls, ...modules[last].hears]) {
      if (next === last) continue;
      if (next === to) return [...way, next];
      if (visited.has(next)) continue;
      visited.add(next);
      ways.push([...way, next]);
    }
  }
  return null;
}

/**
 * Who owns a path: a module by its name or one of the surroundings, else the package, the built-in, or the path itself.
 * A path of src/ may have a line behind it.
 */
export function ownerOf(path) {
  const inside = /^src\/(?:modules\/)?([^/:]+)/.exec(path);
  if (inside) return inside[1];
  if (isBuiltin(path)) return `node:${path.replace(/^node:/, '')}`;
  const installed = /(?:^|\/)node_modules\/(?!.*\/node_modules\/)((?:@[^/]+\/)?[^/]+)/;
  const missing = /^(@[^/]+\/[^/]+|[^./]+$)/;
  const npm = installed.exec(path) ?? missing.exec(path);
  return npm ? `npm package ${npm[1]}` : path;
}
