import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const CODE = /\.[cm]?[jt]sx?$/;

/**
 * What src/ holds on disk, found without the help of the linter that is checked against it.
 *
 * @param {string} root folder of the project
 * @returns {{files: string[], links: string[]}} paths below the root, sorted: files of code, and symbolic links
 */
export function sourcesOf(root) {
  const files = [];
  const links = [];
  const folders = ['src'];
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isSymbolicLink()) links.push(path);
      else if (entry.isDirectory()) folders.push(path);
      else if (CODE.test(path)) files.push(path);
    }
  }
  return { files: files.sort(), links: links.sort() };
}

/**
 * Reads every import below src/ with dependency-cruiser and judges it by the committed rules.
 *
 * @param {string} root folder of the project, with .dependency-cruiser.js, tsconfig.json and package.json
 * @returns {Promise<{modules: object[], violations: object[], comments: Map<string, string>}>} the modules of src/ with
 *   their dependencies, the rules they broke, and each rule's comment by its name
 */
export async function cruiseSources(root) {
  // Loaded here because it takes longer than all that is refused without it.
  const { cruise } = await import('dependency-cruiser');
  const { default: extractTsConfig } = await import('dependency-cruiser/config-utl/extract-ts-config');
  const { forbidden, options } = await rulesOf(root);
  const tsConfigFile = join(root, options.tsConfig.fileName);
  const { output } = await cruise(
    ['src'],
    { ...options, baseDir: root, tsConfig: { fileName: tsConfigFile }, validate: true, ruleSet: { forbidden } },
    {},
    { tsConfig: extractTsConfig(tsConfigFile) },
  );
  return {
    modules: output.modules.filter(({ source }) => source.startsWith('src/')),
    violations: output.summary.violations,
    comments: new Map(forbidden.map(({ name, comment }) => [name, comment])),
  };
}

async function rulesOf(root) {
  try {
    return (await import(pathToFileURL(join(root, '.dependency-cruiser.js')).href)).default;
  } catch (error) {
    throw new Error(
      `.dependency-cruiser.js cannot be loaded (${error.message}); way out: node scripts/boundaries.mjs generate`,
    );
  }
}

/**
 * Which module uses which other one's contract in production code, and how.
 *
 * @param {object[]} modules as cruiseSources returns them
 * @returns {{from: string, to: string, calls: boolean, hears: boolean}[]} one entry for each pair that has an import
 */
export function crossingsOf(modules) {
  const pairs = new Map();
  for (const { source, dependencies } of modules) {
    const from = /^src\/modules\/([^/]+)\//.exec(source)?.[1];
    if (!from || /\.spec\.ts$|\/contract\//.test(source)) continue;
    for (const { resolved } of dependencies) {
      const face = /^src\/modules\/([^/]+)\/contract\/[^/]+\.(api|errors|events)\.ts$/.exec(resolved);
      if (!face) continue;
      const pair = pairs.get(`${from} ${face[1]}`) ?? { from, to: face[1], calls: false, hears: false };
      pair[face[2] === 'events' ? 'hears' : 'calls'] = true;
      pairs.set(`${from} ${face[1]}`, pair);
    }
  }
  return [...pairs.values()];
}
