import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Options, transformSync } from '@swc/core';

/** Folders, below the root of the project, that the simulator's process is made of. */
const SOURCES = [
  'src/shared',
  'src/modules/carriers/infrastructure/smpp',
  'src/modules/carriers/infrastructure/simulator',
];

/** Compiles the simulator's process into a temporary directory, laid out like the sources. */
export function buildSimulator(): { readonly directory: string; readonly entry: URL } {
  const root = process.cwd();
  const directory = mkdtempSync(path.join(tmpdir(), 'simulator-build-'));
  const { $schema: _, ...options } = JSON.parse(readFileSync(path.join(root, '.swcrc'), 'utf8')) as Options & {
    $schema?: string;
  };
  writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
  symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
  for (const folder of SOURCES) {
    mkdirSync(path.join(directory, folder), { recursive: true });
    for (const name of readdirSync(path.join(root, folder))) {
      if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
      const { code } = transformSync(readFileSync(path.join(root, folder, name), 'utf8'), { ...options, swcrc: false });
      writeFileSync(path.join(directory, folder, name.replace(/\.ts$/, '.js')), code);
    }
  }
  const main = path.join(directory, SOURCES.at(-1)!, 'simulator.main.js');
  return { directory, entry: pathToFileURL(main) };
}
