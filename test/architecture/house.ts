import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The folder of this project. */
export const PROJECT = resolve(import.meta.dirname, '../..');

export interface Architecture {
  modules: Record<string, { calls: string[]; hears: string[] }>;
}

/** Sources by their path below the root. */
export type Files = Readonly<Record<string, string>>;

export async function readArchitecture(): Promise<Architecture> {
  return JSON.parse(await readFile(join(PROJECT, 'architecture.json'), 'utf8')) as Architecture;
}

/** A temporary project with this one's rules, packages and settings, and nothing in it; `close` deletes it. */
export async function openProject(): Promise<{ root: string; close: () => Promise<void> }> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'boundaries-')));
  for (const file of ['architecture.json', '.dependency-cruiser.js', 'package.json', 'tsconfig.json']) {
    await cp(join(PROJECT, file), join(root, file));
  }
  await symlink(join(PROJECT, 'node_modules'), join(root, 'node_modules'));
  return { root, close: () => rm(root, { recursive: true, force: true }) };
}

export async function plant(root: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script of this project on the project at `root`. */
export function run(script: string, root: string, ...args: string[]): Promise<Outcome> {
  const command = [join(PROJECT, 'scripts', script), ...args, '--root', root];
  return new Promise((done) => {
    execFile(process.execPath, command, { maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

/** The smallest tree that keeps every rule and uses every door that the architecture opens. */
export function tidyHouse({ modules }: Architecture): Files {
  const files: Record<string, string> = {
    'src/main.ts': "import './app/app.js';",
    'src/app/app.ts': Object.keys(modules)
      .flatMap((name) => [`modules/${name}/${name}.module.js`, `modules/${name}/contract/${name}.api.js`])
      .concat('platform/postgres.js', 'shared/value.js')
      .map((path) => `import '../${path}';`)
      .join('\n'),
    'src/platform/postgres.ts':
      "import 'pg';\nimport 'bullmq';\nimport 'undici';\nimport 'node:net';\nimport '../shared/value.js';",
    'src/shared/value.ts': "import { z } from 'zod';\nexport const value = z.string();",
  };
  for (const [name, { calls, hears }] of Object.entries(modules)) {
    const home = `src/modules/${name}`;
    const doors = [...calls.map((other) => [other, 'api']), ...hears.map((other) => [other, 'events'])];
    Object.assign(files, {
      [`${home}/contract/${name}.api.ts`]:
        "import { value } from '../../../shared/value.js';\nexport const api = value;",
      [`${home}/contract/${name}.events.ts`]: "import { z } from 'zod';\nexport const event = z.string();",
      [`${home}/domain/decide.ts`]: `import type { api } from '../contract/${name}.api.js';\nexport type Decide = typeof api;`,
      [`${home}/infrastructure/generated/client.ts`]:
        "export * from './models.js';\nimport '@prisma/client/runtime/client';",
      [`${home}/infrastructure/generated/models.ts`]: "export type * from './client.js';",
      [`${home}/infrastructure/repository.ts`]:
        "import '@prisma/adapter-pg';\nimport 'pg';\nimport './generated/client.js';\nimport '../domain/decide.js';\nimport '../../../platform/postgres.js';",
      [`${home}/infrastructure/repository.spec.ts`]:
        "import 'fast-check';\nimport 'undici';\nimport './repository.js';\nimport '../http/controller.js';\nimport '../../../../test/support/server.js';",
      [`${home}/application/use.ts`]: ["import '../infrastructure/repository.js';", "import 'node:crypto';"]
        .concat(doors.map(([other, face]) => `import '../../${other}/contract/${other}.${face}.js';`))
        .join('\n'),
      [`${home}/http/controller.ts`]:
        "import '@nestjs/common';\nimport '../application/use.js';\nexport const later = () => import('../domain/decide.js');\nexport const page = new URL('./page.html', import.meta.url);",
      [`${home}/${name}.module.ts`]:
        "import './http/controller.js';\nimport './infrastructure/generated/client.js';\nimport '../../platform/postgres.js';",
    });
  }
  files['test/support/server.ts'] = 'export const server = 1;';
  return files;
}
