import type { Files } from './house.js';

/** Something that the walls must refuse: the code, where it stands, the rule that names it, and between whom. */
export interface Violation {
  readonly what: string;
  readonly at: string;
  readonly code: string;
  readonly rule: string;
  readonly owners: string;
}

/** What the violations reach for. */
export const TARGETS: Files = {
  'src/modules/billing/infrastructure/planted-store.ts': 'export const store = 1;\nexport type Store = number;',
  'src/modules/billing/infrastructure/generated/planted-client.ts': 'export const client = 1;',
  'src/modules/billing/contract/planted-helper.ts': 'export const helper = 1;',
  'src/modules/billing/billing.module.ts': 'export class BillingModule {}',
  'src/modules/messaging/infrastructure/planted-store.ts': 'export const store = 1;',
  'src/modules/messaging/infrastructure/generated/planted-client.ts': 'export const client = 1;',
  'src/modules/messaging/application/planted-use-case.ts': 'export const useCase = 1;',
  'src/modules/messaging/application/planted-test.spec.ts': 'export const helper = 1;',
  'src/modules/messaging/http/planted-controller.ts': 'export const controller = 1;',
  'src/modules/messaging/application/planted-ring-b.ts':
    "import { a } from './planted-ring-a.js';\nexport const b = () => a;",
  'src/modules/messaging/application/planted-types-b.ts':
    "import type { A } from './planted-types-a.js';\nexport type B = A[];",
  'src/platform/planted-technique.ts': 'export const technique = 1;',
  'src/app/planted-edge.ts': 'export const edge = 1;',
  'dist/modules/billing/infrastructure/planted-store.js': 'export const store = 1;',
  'prisma/billing/planted.ts': 'export const schema = 1;',
  'test/support/planted.ts': 'export const server = 1;',
  'bench/planted.ts': 'export const load = 1;',
  'scripts/planted.ts': 'export const script = 1;',
};

const STORE = '../../billing/infrastructure/planted-store';
const PAIR = 'messaging-calls-billing-by-contract';
let planted = 0;

/** The same code in a file of its own, in a layer of messaging unless another folder is given. */
export function violation(what: string, rule: string, owners: string, code: string, folder = 'application'): Violation {
  planted += 1;
  const home = folder.startsWith('src/') ? folder : `src/modules/messaging/${folder}`;
  return { what, rule, owners, code, at: `${home}/planted-${planted}.ts` };
}

const reaching = (what: string, code: string): Violation => violation(what, PAIR, 'messaging -> billing', code);

export const INTO_A_MODULE: readonly Violation[] = [
  reaching('a value import', `import { store } from '${STORE}.js';\nexport const s = store;`),
  reaching('a side-effect import', `import '${STORE}.js';`),
  reaching('a type-only import', `import type { Store } from '${STORE}.js';\nexport type S = Store;`),
  reaching('an inline type import', `import { type Store } from '${STORE}.js';\nexport type S = Store;`),
  reaching('export *', `export * from '${STORE}.js';`),
  reaching('export * as', `export * as store from '${STORE}.js';`),
  reaching('export type', `export type { Store } from '${STORE}.js';`),
  reaching('a dynamic import', `export const s = () => import('${STORE}.js');`),
  reaching('a dynamic import of a template', `export const s = () => import(\`${STORE}.js\`);`),
  reaching('an import type', `export type S = import('${STORE}.js').Store;`),
  reaching('a typeof import', `export let s: Promise<typeof import('${STORE}.js')>;`),
  reaching('import = require', `import s = require('${STORE}.js');\nexport const t = s;`),
  reaching('require', `export const s = require('${STORE}.js');`),
  reaching('a triple-slash reference', `/// <reference path="${STORE}.ts" />\nexport const s = 1;`),
  reaching('a JSDoc type', `/** @type {import('${STORE}.js').Store} */\nexport const s = 1;`),
  reaching('a JSDoc import', `/** @import { Store } from '${STORE}.js' */\nexport const s = 1;`),
  reaching('an import with .ts', `import '${STORE}.ts';`),
  reaching('an import without extension', `import '${STORE}';`),
  reaching('an import through a loader', `import 'x!${STORE}.js';`),
  reaching('a subpath import', "import '#modules/billing/infrastructure/planted-store.js';"),
  reaching('a reference to this package', "import 'trunkline/modules/billing/infrastructure/planted-store.js';"),
  reaching('a path of tsconfig', "import '@house/modules/billing/infrastructure/planted-store.js';"),
  reaching('an ambient import', `declare module 'x' { export { store } from '${STORE}.js'; }`),
  reaching('a foreign generated Prisma client', "import '../../billing/infrastructure/generated/planted-client.js';"),
  reaching('a foreign module file', "import '../../billing/billing.module.js';"),
  reaching('a private part of a contract folder', "import '../../billing/contract/planted-helper.js';"),
  violation('a spec that reaches into a module', PAIR, 'messaging -> billing', `import '${STORE}.js';`, 'application'),
].map((item, i, all) => (i === all.length - 1 ? { ...item, at: item.at.replace('.ts', '.spec.ts') } : item));

const past = (what: string, rule: string, code: string): Violation => violation(what, rule, 'messaging', code);

export const PAST_THE_LINTER: readonly Violation[] = [
  past('a computed import', 'no-computed-import', 'export const s = (name: string) => import(name);'),
  past('an import of a cast', 'no-computed-import', `export const s = () => import('${STORE}.js' as string);`),
  past('a concatenated import', 'no-computed-import', `export const s = () => import('${STORE}' + '.js');`),
  past('a deferred import', 'no-computed-import', `export const s = () => import.defer('${STORE}.js');`),
  past('require', 'no-hidden-import', `export const s = require('${STORE}.js');`),
  past(
    'createRequire',
    'no-hidden-import',
    `import { createRequire } from 'node:module';\ncreateRequire(import.meta.url)('${STORE}.js');`,
  ),
  past(
    'a renamed createRequire',
    'no-hidden-import',
    "import { createRequire as r } from 'node:module';\nexport const s = r;",
  ),
  past('getBuiltinModule', 'no-hidden-import', "export const s = process.getBuiltinModule('node:fs');"),
  past('eval', 'no-hidden-import', `export const s = eval("import('${STORE}.js')");`),
  past('an alias', 'plain-specifiers', "import '#modules/billing/contract/billing.api.js';"),
  past('the own name', 'plain-specifiers', "import 'trunkline/modules/billing/contract/billing.api.js';"),
  past('a file URL', 'plain-specifiers', "export const s = () => import('file:///etc/hosts.js');"),
  past('a data URL', 'plain-specifiers', "export const s = () => import('data:text/javascript,1');"),
  past('an absolute path', 'plain-specifiers', "export const s = () => import('/etc/hosts.js');"),
  past('a query', 'plain-specifiers', `import '${STORE}.js?fresh';`),
  past(
    'a detour through a package',
    'plain-specifiers',
    "import 'pg/../../src/modules/billing/infrastructure/planted-store.js';",
  ),
  past(
    'an encoded path',
    'plain-specifiers',
    "export const s = () => import('../../%62illing/infrastructure/planted-store.js');",
  ),
  past(
    'an augmentation of a file',
    'no-relative-augmentation',
    `declare module '${STORE}.js' { export const more: number; }\nexport {};`,
  ),
  past(
    'a worker in another module',
    'addresses-stay-home',
    `export const s = new URL('${STORE}.js', import.meta.url);`,
  ),
  past(
    'a worker at a computed address',
    'addresses-stay-home',
    'export const s = (name: string) => new URL(name, import.meta.url);',
  ),
];
