import { LAYERS } from './architecture.mjs';

/** Tests and what only they use: not part of the product. */
export const SPEC = '\\.(?:spec|test-support)\\.ts$';
export const CONTRACTS = '^src/modules/[^/]+/contract/[^/]+\\.(?:api|events|errors|demo)\\.ts$';
export const MODULE_FILES = '^src/modules/[^/]+/[^/]+\\.module\\.ts$';

/** Where a part of src/ lies: any module's layer, or one of the surroundings. */
export const folderOf = (part) => {
  if (LAYERS.includes(part)) return `^src/modules/[^/]+/${part}/`;
  return part.endsWith('.ts') ? `^src/${part.replace('.', '\\.')}$` : `^src/${part}/`;
};

const escaped = (text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');

/** A package or built-in as it is named when resolved, when only its types are found, and when it is not installed. */
export const packagePaths = (name) => {
  const path = escaped(name.replace(/^node:/, ''));
  if (name.startsWith('node:')) return [`^(?:node:)?${path}(?:/|$)`];
  return [`(?:^|/)node_modules/(?:@types/)?${path}/`, `^${path}(?:/|$)`];
};

/** A rule of dependency-cruiser, whose comment is a reason and a way out. */
export const rule = (name, why, wayOut, from, to) => ({
  name,
  severity: 'error',
  comment: `${why}. Way out: ${wayOut}.`,
  from,
  to,
});
