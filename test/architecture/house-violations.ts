import { type Violation, violation } from './violations.js';

/** A file whose only fault is what it imports. */
const importing = (what: string, rule: string, owners: string, specifier: string, folder?: string): Violation =>
  violation(what, rule, owners, `import '${specifier}';`, folder);

const upAndAcross: Violation[] = [
  importing(
    'an upward contract import',
    'billing-keeps-off-messaging',
    'billing -> messaging',
    '../../messaging/contract/messaging.api.js',
    'src/modules/billing/application',
  ),
  violation(
    'an upward type import',
    'accounts-keeps-off-billing',
    'accounts -> billing',
    "import type * as api from '../../billing/contract/billing.api.js';\nexport type A = typeof api;",
    'src/modules/accounts/application',
  ),
  importing(
    'events that are not heard',
    'carriers-keeps-off-accounts',
    'carriers -> accounts',
    '../../accounts/contract/accounts.events.js',
    'src/modules/carriers/application',
  ),
  importing(
    'a call past the contract',
    'notifications-calls-messaging-by-contract',
    'notifications -> messaging',
    '../../messaging/application/planted-use-case.js',
    'src/modules/notifications/application',
  ),
];

const layers: Violation[] = [
  importing('node:fs in a domain', 'packages-of-domain', 'messaging -> node:fs', 'node:fs', 'domain'),
  importing('a package in a domain', 'packages-of-domain', 'messaging -> npm package lru-cache', 'lru-cache', 'domain'),
  importing(
    'the platform in a domain',
    'layer-domain',
    'messaging -> platform',
    '../../../platform/planted-technique.js',
    'domain',
  ),
  importing(
    'a use case in a domain',
    'layer-domain',
    'messaging -> messaging',
    '../application/planted-use-case.js',
    'domain',
  ),
  importing(
    'a foreign contract in a domain',
    'layer-domain',
    'messaging -> billing',
    '../../billing/contract/billing.api.js',
    'domain',
  ),
  importing(
    'infrastructure in a contract',
    'layer-contract',
    'messaging -> messaging',
    '../infrastructure/planted-store.js',
    'contract',
  ),
  importing(
    'a foreign contract in a contract',
    'layer-contract',
    'messaging -> billing',
    '../../billing/contract/billing.api.js',
    'contract',
  ),
  importing('a package in a contract', 'packages-of-contract', 'messaging -> npm package rxjs', 'rxjs', 'contract'),
  importing(
    'infrastructure in http',
    'layer-http',
    'messaging -> messaging',
    '../infrastructure/planted-store.js',
    'http',
  ),
  importing('http in a use case', 'layer-application', 'messaging -> messaging', '../http/planted-controller.js'),
  importing(
    'a use case in infrastructure',
    'layer-infrastructure',
    'messaging -> messaging',
    '../application/planted-use-case.js',
    'infrastructure',
  ),
  importing(
    'the own generated client in a use case',
    'generated-client-behind-repositories',
    'messaging -> messaging',
    '../infrastructure/generated/planted-client.js',
  ),
];

const surroundings: Violation[] = [
  importing(
    'a module in shared',
    'surroundings-shared',
    'shared -> billing',
    '../modules/billing/contract/billing.api.js',
    'src/shared',
  ),
  importing(
    'the platform in shared',
    'surroundings-shared',
    'shared -> platform',
    '../platform/planted-technique.js',
    'src/shared',
  ),
  importing('node:fs in shared', 'packages-of-shared', 'shared -> node:fs', 'node:fs', 'src/shared'),
  violation(
    'a module in the platform',
    'surroundings-platform',
    'platform -> billing',
    "import type * as api from '../modules/billing/contract/billing.api.js';\nexport type A = typeof api;",
    'src/platform',
  ),
  importing(
    'the app in the platform',
    'surroundings-platform',
    'platform -> app',
    '../app/planted-edge.js',
    'src/platform',
  ),
  importing('the app in a module', 'modules-know-no-app', 'messaging -> app', '../../../app/planted-edge.js', 'http'),
  importing(
    'the inside of a module in the app',
    'surroundings-app',
    'app -> billing',
    '../modules/billing/infrastructure/planted-store.js',
    'src/app',
  ),
  {
    what: 'a module in the entry',
    rule: 'surroundings-main',
    owners: 'main.ts -> billing',
    code: "import './modules/billing/billing.module.js';",
    at: 'src/main.ts',
  },
];

const packages: Violation[] = [
  violation(
    '@prisma/client in a use case',
    'package-prisma-client',
    'messaging -> npm package @prisma/client',
    "import type { Prisma } from '@prisma/client';\nexport type P = Prisma;",
  ),
  importing('pg in a use case', 'package-pg', 'messaging -> npm package pg', 'pg'),
  importing('bullmq in a module', 'package-bullmq', 'messaging -> npm package bullmq', 'bullmq', 'infrastructure'),
  importing('undici in a module', 'package-undici', 'messaging -> npm package undici', 'undici', 'infrastructure'),
  importing(
    'the OpenTelemetry SDK in a module',
    'package-opentelemetry-sdk',
    'messaging -> npm package @opentelemetry/sdk-trace-node',
    '@opentelemetry/sdk-trace-node',
    'infrastructure',
  ),
  importing(
    'an OpenTelemetry exporter in the app',
    'package-opentelemetry-exporter',
    'app -> npm package @opentelemetry/exporter-trace-otlp-http',
    '@opentelemetry/exporter-trace-otlp-http',
    'src/app',
  ),
  importing(
    'the event emitter',
    'package-nestjs-event-emitter',
    'platform -> npm package @nestjs/event-emitter',
    '@nestjs/event-emitter',
    'src/platform',
  ),
  violation(
    'createRequire in a module',
    'package-node-module',
    'messaging -> node:module',
    "import { createRequire } from 'node:module';\nexport const r = createRequire(import.meta.url).resolve('pg');",
  ),
  importing('a development dependency', 'no-undeclared-package', 'messaging -> npm package fast-check', 'fast-check'),
];

const elsewhere: Violation[] = [
  importing(
    'dist/',
    'no-import-from-dist',
    'messaging -> dist/modules/billing/infrastructure/planted-store.js',
    '../../../../dist/modules/billing/infrastructure/planted-store.js',
  ),
  importing(
    'prisma/',
    'no-import-from-prisma',
    'messaging -> prisma/billing/planted.ts',
    '../../../../prisma/billing/planted.js',
  ),
  importing(
    'test/',
    'no-import-from-test-or-bench',
    'messaging -> test/support/planted.ts',
    '../../../../test/support/planted.js',
  ),
  importing('bench/', 'no-import-from-test-or-bench', 'messaging -> bench/planted.ts', '../../../../bench/planted.js'),
  importing(
    'scripts/',
    'no-import-from-outside-src',
    'messaging -> scripts/planted.ts',
    '../../../../scripts/planted.js',
  ),
  importing('a spec', 'no-import-from-spec', 'messaging -> messaging', './planted-test.spec.js'),
  importing('a path of tsconfig', 'no-alias', 'messaging -> billing', '@house/modules/billing/contract/billing.api.js'),
  importing('a file that is not there', 'no-unresolvable', 'messaging -> ./planted-nowhere.js', './planted-nowhere.js'),
  {
    what: 'a circle of two files',
    rule: 'no-circular',
    owners: 'messaging -> messaging',
    code: "import { b } from './planted-ring-b.js';\nexport const a = () => b;",
    at: 'src/modules/messaging/application/planted-ring-a.ts',
  },
  {
    what: 'a circle of types',
    rule: 'no-circular',
    owners: 'messaging -> messaging',
    code: "import type { B } from './planted-types-b.js';\nexport type A = B | null;",
    at: 'src/modules/messaging/application/planted-types-a.ts',
  },
];

const place = (what: string, rule: string, owners: string, at: string): Violation => ({
  what,
  rule,
  owners,
  at,
  code: 'export const x = 1;',
});

const places: Violation[] = [
  place('a module that is not declared', 'undeclared-module', 'planted', 'src/modules/planted/domain/planted.ts'),
  place('a file beside the layers', 'a-layer-for-every-file', 'messaging', 'src/modules/messaging/planted-helper.ts'),
  place('a folder beside the layers', 'a-layer-for-every-file', 'messaging', 'src/modules/messaging/utils/planted.ts'),
  place('a file beside the parts of src', 'a-place-for-every-file', 'planted.ts', 'src/planted.ts'),
  place('a JavaScript file', 'typescript-only', 'messaging', 'src/modules/messaging/application/planted.js'),
];

export const AGAINST_THE_HOUSE: readonly Violation[] = [
  ...upAndAcross,
  ...layers,
  ...surroundings,
  ...packages,
  ...elsewhere,
  ...places,
];
