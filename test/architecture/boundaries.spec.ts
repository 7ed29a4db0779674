import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Architecture,
  type Outcome,
  openProject,
  PROJECT,
  plant,
  readArchitecture,
  run,
  tidyHouse,
} from './house.js';
import { AGAINST_THE_HOUSE } from './house-violations.js';
import { INTO_A_MODULE, PAST_THE_LINTER, TARGETS } from './violations.js';

type Json = Record<string, Record<string, unknown>>;

interface Rules {
  forbidden: { severity: string; comment: string }[];
}

interface ArchitectureScript {
  readArchitecture(root: string): Architecture;
}

const VIOLATIONS = [...INTO_A_MODULE, ...PAST_THE_LINTER, ...AGAINST_THE_HOUSE];
const closing: (() => Promise<void>)[] = [];
let architecture: Architecture;

async function project(): Promise<string> {
  const { root, close } = await openProject();
  closing.push(close);
  return root;
}

async function tidyProject(): Promise<string> {
  const root = await project();
  await plant(root, tidyHouse(architecture));
  return root;
}

async function editJson(file: string, change: (json: Json) => object): Promise<void> {
  await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')))));
}

beforeAll(async () => {
  architecture = await readArchitecture();
});

afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
});

describe('the boundaries of this project', () => {
  it('hold', async () => {
    const { code, stdout, stderr } = await run('boundaries.mjs', PROJECT);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^[1-9]\d* modules, [1-9]\d* dependencies, no violations\n$/);
    expect(code).toBe(0);
  });

  it('are drawn in README.md as they are in code', async () => {
    const readme = join(PROJECT, 'README.md');
    if (!existsSync(readme) || !readFileSync(readme, 'utf8').includes('<!-- architecture:begin -->')) return;
    expect(await run('architecture-picture.mjs', PROJECT, '--check')).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a violation', () => {
  let outcome: Outcome;
  let reports: string[];

  beforeAll(async () => {
    const root = await project();
    await cp(join(PROJECT, 'src'), join(root, 'src'), { recursive: true });
    await plant(root, TARGETS);
    await plant(root, Object.fromEntries(VIOLATIONS.map(({ at, code }) => [at, code])));
    await symlink('../../billing/infrastructure', join(root, 'src/modules/messaging/application/planted-link'));
    await editJson(join(root, 'package.json'), (json) => ({
      ...json,
      imports: { '#modules/*': { source: './src/modules/*', default: './dist/modules/*' } },
      exports: { './*': './src/*' },
    }));
    await editJson(join(root, 'tsconfig.json'), (json) => ({
      ...json,
      compilerOptions: { ...json.compilerOptions, paths: { '@house/*': ['./src/*'] } },
    }));
    const ghost = { calls: ['accounts'], hears: ['carriers'] };
    await editJson(join(root, 'architecture.json'), (json) => ({ ...json, modules: { ...json.modules, ghost } }));
    await run('boundaries.mjs', root, 'generate');
    outcome = await run('boundaries.mjs', root);
    reports = outcome.stderr.split('\n\n');
  });

  it('stops the command', () => {
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toBe('');
    expect(reports.at(-1)).toMatch(/^\d+ violations\n$/);
  });

  it.each(VIOLATIONS)('is refused: $what ($rule)', ({ rule, at, owners }) => {
    const report = reports.find(
      (text) => text.startsWith(`${rule}: `) && new RegExp(`\n {2}${at}(?::\\d+)?(?: |\n)`).test(text),
    );
    expect(report?.split('\n')[0]).toBe(`${rule}: ${owners}`);
    expect(report).toMatch(/\n {2}why: \S.+\n {2}way out: \S.+/);
  });

  it('is refused: a symbolic link', () => {
    expect(outcome.stderr).toContain('no-symbolic-link: messaging\n  src/modules/messaging/application/planted-link\n');
  });

  it('is refused: a declared module without files, and a door that nobody uses', () => {
    expect(outcome.stderr).toContain('module-without-files: ghost\n');
    expect(outcome.stderr).toContain('stale-declaration: ghost -> accounts\n');
    expect(outcome.stderr).toContain('way out: remove accounts from "calls" of ghost');
    expect(outcome.stderr).toContain('way out: remove carriers from "hears" of ghost');
  });
});

describe('the check', () => {
  it('lets through a tree that uses every door and breaks no wall', async () => {
    const root = await tidyProject();
    expect(await run('boundaries.mjs', root)).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^[1-9]\d* modules, [1-9]\d* dependencies, no violations\n$/),
      stderr: '',
    });
  });

  it('fails when the linter looks at some files only, or at none', async () => {
    const blind = async (unseen: string): Promise<Outcome> => {
      const root = await tidyProject();
      const rules = join(root, '.dependency-cruiser.js');
      const text = await readFile(rules, 'utf8');
      await writeFile(rules, text.replace('doNotFollow: {', `exclude: { path: '${unseen}' },\n    doNotFollow: {`));
      return run('boundaries.mjs', root);
    };
    const [some, none] = await Promise.all([blind('^src/modules/'), blind('^src/')]);
    expect(some).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^dependency-cruiser saw 4 of \d+ source files/),
    });
    expect(none).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^dependency-cruiser saw 0 of \d+ source files/),
    });
  });

  it('fails when there is nothing to see', async () => {
    const root = await project();
    await mkdir(join(root, 'src'));
    const { code, stderr } = await run('boundaries.mjs', root);
    expect(code).toBe(1);
    expect(stderr).toBe('there is no source file in src/, so nothing is proven\n');
  });

  it.each([
    [
      'a cycle of calls',
      'accounts',
      { calls: ['messaging'], hears: [] },
      'accounts calls messaging, messaging calls accounts',
    ],
    [
      'a cycle of hearing and calling',
      'accounts',
      { calls: [], hears: ['billing'] },
      'accounts hears billing, billing calls accounts',
    ],
    ['a call of itself', 'carriers', { calls: ['carriers'], hears: [] }, 'carriers calls itself'],
    [
      'an unknown module',
      'carriers',
      { calls: [], hears: ['toString'] },
      'carriers hears toString, which is no module',
    ],
    ['an unknown field', 'carriers', { calls: [], hears: [], likes: [] }, 'modules.carriers'],
  ])('refuses an architecture.json with %s', async (_what, module, declared, message) => {
    const root = await project();
    await editJson(join(root, 'architecture.json'), (json) => ({
      ...json,
      modules: { ...json.modules, [module]: declared },
    }));
    const script = (await import(join(PROJECT, 'scripts/boundaries/architecture.mjs'))) as ArchitectureScript;
    expect(() => script.readArchitecture(root)).toThrow(/^architecture\.json/);
    expect(() => script.readArchitecture(root)).toThrow(message);
  });

  it('stops at an architecture that is no tower', async () => {
    const root = await tidyProject();
    const upward = { calls: ['messaging'], hears: [] };
    await editJson(join(root, 'architecture.json'), (json) => ({
      ...json,
      modules: { ...json.modules, carriers: upward },
    }));
    const { code, stdout, stderr } = await run('boundaries.mjs', root);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^architecture\.json: the modules form a cycle: .*carriers calls messaging.* Way out: \S/);
  });

  it('fails when the rules are not what architecture.json says, until they are generated', async () => {
    const root = await tidyProject();
    const file = join(root, 'architecture.json');
    await editJson(file, (json) => ({
      ...json,
      packages: { ...json.packages, cockatiel: { only: ['platform'], because: 'it has policies' } },
    }));
    const stale = await run('boundaries.mjs', root);
    expect(stale).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('way out: node scripts/boundaries.mjs generate'),
    });
    expect(await run('boundaries.mjs', root, 'generate')).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(root, '.dependency-cruiser.js'), 'utf8')).toContain("name: 'package-cockatiel'");
  });
});

describe('a rule', () => {
  it('says why it stands and what to do instead', async () => {
    const { default: config } = (await import(join(PROJECT, '.dependency-cruiser.js'))) as { default: Rules };
    expect(config.forbidden.length).toBeGreaterThan(40);
    for (const { severity, comment } of config.forbidden) {
      expect(severity).toBe('error');
      expect(comment).toMatch(/^\S.+\. Way out: \S.+\.$/);
    }
  });
});

describe('the picture', () => {
  it('is drawn between the markers from what the code imports, and nothing else is touched', async () => {
    const root = await tidyProject();
    const readme = join(root, 'README.md');
    await writeFile(readme, '# A\n<!-- architecture:begin -->\nold\n<!-- architecture:end -->\nB\n');
    expect(await run('architecture-picture.mjs', root, '--check')).toMatchObject({ code: 1 });
    expect(await run('architecture-picture.mjs', root)).toMatchObject({ code: 0, stderr: '' });
    expect(await run('architecture-picture.mjs', root, '--check')).toMatchObject({ code: 0, stderr: '' });
    const text = await readFile(readme, 'utf8');
    expect(text).toMatch(/^# A\n<!-- architecture:begin -->\n```mermaid\n[^`]+```\n<!-- architecture:end -->\nB\n$/);
    expect(text).toContain('    messaging --> billing\n');
    expect(text).toContain('    notifications -->|and hears| messaging\n');
  });

  it('needs its markers', async () => {
    const root = await tidyProject();
    await writeFile(join(root, 'README.md'), '# A\n');
    const { code, stderr } = await run('architecture-picture.mjs', root);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^README\.md lacks the lines/);
  });
});
