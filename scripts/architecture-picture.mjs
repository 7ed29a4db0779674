/**
 * The picture of the architecture in README.md, drawn from the imports that are really in src/.
 *
 *   node scripts/architecture-picture.mjs            writes it between the markers
 *   node scripts/architecture-picture.mjs --check    exits 1 when it is not what the code says
 *
 * `--root <folder>` takes another project than this one.
 */
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readArchitecture } from './boundaries/architecture.mjs';
import { crossingsOf, cruiseSources } from './boundaries/cruise.mjs';

const BEGIN = '<!-- architecture:begin -->';
const END = '<!-- architecture:end -->';

/** A call outweighs the subscription that goes the same way: two arrows between two boxes only tangle. */
function arrow({ from, to, calls, hears }) {
  if (!calls) return `    ${from} -.-> ${to}`;
  return hears ? `    ${from} -->|and hears| ${to}` : `    ${from} --> ${to}`;
}

/** The modules as architecture.json stacks them, from the top of the tower to its foot. */
function fromTheTop(declared) {
  const heightOf = (name) => {
    const below = [...declared[name].calls, ...declared[name].hears].filter((other) => other !== name);
    return 1 + Math.max(0, ...below.map(heightOf));
  };
  const heights = new Map(Object.keys(declared).map((name) => [name, heightOf(name)]));
  return [...heights.keys()].sort((a, b) => heights.get(b) - heights.get(a) || a.localeCompare(b));
}

/** A mermaid flowchart of the modules, the arrows between them that exist in code, and the three layers around them. */
function draw(declared, modules) {
  const crossings = crossingsOf(modules).filter(({ from, to }) => from !== to);
  const order = fromTheTop(declared);
  const place = ({ from, to }) => order.indexOf(from) * order.length + order.indexOf(to);
  return [
    '```mermaid',
    'flowchart TB',
    '  app["app: composition root, HTTP edge"]',
    '  subgraph modules["modules: solid calls a contract, dotted hears events, nothing runs upward"]',
    ...order.map((name) => `    ${name}`),
    ...crossings.sort((a, b) => place(a) - place(b)).map(arrow),
    '  end',
    '  platform["platform: technique that knows no domain"]',
    '  shared["shared: pure values, errors, event definitions"]',
    '  app --> modules',
    '  modules --> platform',
    '  platform --> shared',
    '```',
  ].join('\n');
}

async function main() {
  const { values } = parseArgs({ options: { root: { type: 'string' }, check: { type: 'boolean' } } });
  const root = realpathSync(resolve(values.root ?? join(import.meta.dirname, '..')));
  const file = join(root, 'README.md');
  const readme = readFileSync(file, 'utf8');
  const begin = readme.indexOf(BEGIN) + BEGIN.length;
  const end = readme.indexOf(END, begin);
  if (!readme.includes(BEGIN) || end < 0) {
    throw new Error(`README.md lacks the lines ${BEGIN} and ${END}, between which the picture goes`);
  }
  const { modules } = await cruiseSources(root);
  const drawn = `\n${draw(readArchitecture(root).modules, modules)}\n`;
  if (readme.slice(begin, end) === drawn) return console.log('the picture in README.md is what the code says');
  if (values.check) {
    throw new Error(
      'the picture in README.md is not what the code says. Way out: node scripts/architecture-picture.mjs',
    );
  }
  writeFileSync(file, readme.slice(0, begin) + drawn + readme.slice(end));
  console.log('the picture in README.md is drawn anew');
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
