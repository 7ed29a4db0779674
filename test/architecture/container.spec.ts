import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Dockerfile, DockerfileParser, type Instruction } from 'dockerfile-ast';
import { settingsOfCode } from '../support/settings-of-code.js';
import { PROJECT } from './house.js';

const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');
const MANIFEST = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  devDependencies: Record<string, string>;
};
const FILE: Dockerfile = DockerfileParser.parse(read('Dockerfile'));
/** Not settings of the product: read by Node, by the C library. */
const OF_OTHERS = ['NODE_ENV', 'MALLOC_ARENA_MAX'];

const wordsOf = (instruction: Instruction) => instruction.getArguments().map((argument) => argument.getValue());
const keyword = (name: string) => FILE.getInstructions().filter((each) => each.getKeyword() === name);
/** The instructions of the stage that becomes the image. */
function lastStage(name: string): string[][] {
  const from = keyword('FROM').at(-1)!.getRange().start.line;
  return keyword(name)
    .filter((each) => each.getRange().start.line > from)
    .map(wordsOf);
}
/** A command in its form without a shell, which would swallow signals. */
const execForm = (words: string[]) => JSON.parse(words.join(' ')) as string[];

/** What the stages copy from the project, by its path. */
function copied(): string[] {
  return [...FILE.getCOPYs()]
    .filter((copy) => copy.getFlags().every((flag) => flag.getName() !== 'from'))
    .flatMap((copy) => wordsOf(copy).slice(0, -1));
}

/** The settings that the image brings. */
const imageEnvironment = () =>
  Object.fromEntries(lastStage('ENV').flatMap((words) => words.map((word) => word.split('=') as [string, string])));

describe('the Dockerfile', () => {
  it('builds every stage on one official image, of the very Node.js that the tests run on', () => {
    const image = wordsOf(keyword('ARG')[0]!)[0]!;
    expect(image).toMatch(/^NODE_IMAGE=node:\d+\.\d+\.\d+-\w+-slim$/);
    expect(image).toContain(`node:${MANIFEST.devDependencies.node}-`);
    const bases = keyword('FROM').map((from) => wordsOf(from)[0]);
    expect(bases).toEqual(Array(3).fill(expect.stringMatching(/^\$\{NODE_IMAGE\}$/)));
  });

  it('copies what is there and what .dockerignore lets through, and nothing that it keeps out', () => {
    const allowed = read('.dockerignore').split('\n');
    expect(allowed.find((line) => line !== '' && !line.startsWith('#'))).toBe('*');
    expect(copied().length).toBeGreaterThan(8);
    for (const path of copied()) {
      expect([path, existsSync(join(PROJECT, path))]).toEqual([path, true]);
      expect(allowed).toContain(`!${path.split('/')[0]}`);
    }
  });

  it('runs the product as npm start does, without root, npm or a shell between it and its signals', () => {
    const [entry = []] = lastStage('ENTRYPOINT').map(execForm);
    expect(`exec ${entry.join(' ')}`).toBe(MANIFEST.scripts.start);
    expect(lastStage('CMD')).toEqual([]);
    expect(lastStage('USER')).toEqual([['1000:1000']]);
    expect(lastStage('STOPSIGNAL')).toEqual([['SIGTERM']]);
    expect(lastStage('EXPOSE')).toEqual([[imageEnvironment().PORT]]);
  });

  it('keeps everything in one volume, listens to all, and sets nothing that the product does not know', () => {
    const environment = imageEnvironment();
    expect(lastStage('VOLUME')).toEqual([[environment.DATA_DIR]]);
    expect(environment).toMatchObject({ HOST: '0.0.0.0', NODE_ENV: 'production' });
    const known = [...settingsOfCode(), ...OF_OTHERS];
    expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('asks the product itself how it is', () => {
    const [health] = FILE.getHEALTHCHECKs();
    expect(read('Dockerfile')).toContain('CMD ["node", "dist/cli.js", "health", "--live"]');
    expect(health?.getFlags().map((flag) => flag.getName())).toEqual(
      expect.arrayContaining(['interval', 'timeout', 'start-period']),
    );
  });
});

describe('what the image holds', () => {
  const dist = join(PROJECT, 'dist');
  const sources = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  /** Every literal import, and every file that is addressed beside the code. */
  const wanted = (name: string) => {
    const text = readFileSync(join(dist, name), 'utf8');
    const imports = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*['"]([\w@./:-]+)['"]/g)].map(([, to]) => to!);
    const addresses = [...text.matchAll(/new URL\(\s*['"]([^'"\n]+)['"],\s*import\.meta\.url/g)].map(([, to]) => to!);
    return { imports, addresses };
  };

  it('has every file and package that the built product asks for', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(PROJECT, 'scripts/slim-packages.mjs'),
      '--list',
    ]);
    const packages = new Set(stdout.trim().split('\n'));
    expect(packages.size).toBeGreaterThan(50);
    expect(packages).not.toContain('node_modules/typescript');
    const missing: string[] = [];
    let imports = 0;
    for (const name of sources.filter((source) => !source.includes('test-support'))) {
      for (const to of wanted(name).imports) {
        if (to.startsWith('node:')) continue;
        imports++;
        const isThere = to.startsWith('.')
          ? existsSync(join(dist, dirname(name), to))
          : packages.has(
              `node_modules/${to
                .split('/')
                .slice(0, to.startsWith('@') ? 2 : 1)
                .join('/')}`,
            );
        if (!isThere) missing.push(`${name}: ${to}`);
      }
    }
    expect(imports).toBeGreaterThan(1_000);
    expect(missing).toEqual([]);
  });

  it('has what the code reads beside itself: migrations and the manifest', () => {
    const inImage = [...copied(), 'dist'];
    const addressed = sources.flatMap((name) =>
      wanted(name).addresses.map((to) => join('dist', dirname(name), to).replace(/\/$/, '')),
    );
    expect(addressed).toEqual(expect.arrayContaining(['prisma', 'package.json']));
    const outside = addressed.filter((path) => !inImage.some((part) => path === part || path.startsWith(`${part}/`)));
    expect(outside).toEqual([]);
  });
});
