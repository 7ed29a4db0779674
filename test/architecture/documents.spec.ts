import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { readEnvironment } from '../../src/platform/settings/settings.js';
import { settingsOfCode } from '../support/settings-of-code.js';
import { PROJECT } from './house.js';

interface Document {
  /** Below the root. */
  readonly path: string;
  readonly text: string;
}

const LEFT_OUT = new Set(['node_modules', 'dist', 'generated', 'coverage']);
const ADRS = 'docs/adr';
const DOCUMENTS = findDocuments(PROJECT);
const README = documentAt('README.md');
const DECISIONS = DOCUMENTS.filter(({ path }) => new RegExp(`^${ADRS}/\\d{4}-[a-z0-9-]+\\.md$`).test(path));

function findDocuments(folder: string): Document[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) || entry.name.startsWith('.') ? [] : findDocuments(path);
    return entry.name.endsWith('.md') ? [{ path: relative(PROJECT, path), text: readFileSync(path, 'utf8') }] : [];
  });
}

function documentAt(path: string): Document {
  const found = DOCUMENTS.find((document) => document.path === path);
  if (!found) throw new Error(`${path} is missing`);
  return found;
}

/** Everything but code in fences, whose brackets are no links. */
function proseOf(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, '');
}

/** The anchors that headings make, as repository sites make them. */
function anchorsOf(text: string): string[] {
  return [...proseOf(text).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The links of a document that lead to no file, or to no heading of one. */
function brokenLinks({ path, text }: Document): string[] {
  const links = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links.filter((link) => {
    if (/^(?:https?:|mailto:)/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : join(dirname(path), file);
    if (target.startsWith('..') || !existsSync(join(PROJECT, target))) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(join(PROJECT, target), 'utf8')).includes(anchor);
  });
}

/** The files and folders of this project that a document names in code spans, and that are not there. */
function missingPaths({ text }: Document): string[] {
  const named = [...text.matchAll(/`((?:src|test|docs|examples|scripts|prisma|\.github)\/[\w./-]*)`/g)];
  return named.map(([, path = '']) => path).filter((path) => !existsSync(join(PROJECT, path)));
}

/** The npm scripts that a document tells to run. */
function scriptsOf({ text }: Document): string[] {
  return [...text.matchAll(/npm (?:run (?:--silent )?([\w:-]+)|(test|start)\b)/g)].map(
    ([, run, short]) => run ?? short ?? '',
  );
}

/** The names in the first column of the README's table of settings, with the second column. */
function settingsOfReadme(): Map<string, string> {
  const section = README.text.split('\n## Settings\n')[1]?.split('\n## ')[0] ?? '';
  return new Map([...section.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)].map(([, name = '', value = '']) => [name, value]));
}

describe('the documents', () => {
  it('are there: the README, a page for each module, the decisions and their index', () => {
    const { modules } = JSON.parse(readFileSync(join(PROJECT, 'architecture.json'), 'utf8')) as { modules: object };
    const expected = Object.keys(modules).map((name) => `src/modules/${name}/README.md`);
    expect(DOCUMENTS.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['README.md', `${ADRS}/README.md`, ...expected]),
    );
    expect(DECISIONS.length).toBeGreaterThan(10);
  });

  it.each(DOCUMENTS)('$path has no link that leads nowhere', (document) => {
    expect(brokenLinks(document)).toEqual([]);
  });

  it.each(DOCUMENTS)('$path names no file that is not there', (document) => {
    expect(missingPaths(document)).toEqual([]);
  });

  it('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { scripts: object };
    const named = DOCUMENTS.flatMap((document) => scriptsOf(document).map((script) => `${document.path}: ${script}`));
    const known = named.filter((line) => Object.hasOwn(scripts, line.split(': ')[1] ?? ''));
    expect(named.length).toBeGreaterThan(5);
    expect(named).toEqual(known);
  });

  it('would be caught with a fault', () => {
    const path = `${ADRS}/README.md`;
    const text =
      '[a](0001-nowhere.md) [b](../../README.md#nowhere) [c](../../../outside.md) [d](../../README.md#settings)';
    expect(brokenLinks({ path, text })).toEqual(['0001-nowhere.md', '../../README.md#nowhere', '../../../outside.md']);
    expect(brokenLinks({ path, text: '```\n[a](nowhere.md)\n```\n' })).toEqual([]);
    expect(missingPaths({ path, text: 'see `test/e2e/nowhere.spec.ts` and `test/architecture/`' })).toEqual([
      'test/e2e/nowhere.spec.ts',
    ]);
    expect(scriptsOf({ path, text: '`npm run no:such`, `npm test -- x`, `npm ci`' })).toEqual(['no:such', 'test']);
  });
});

describe('the settings in the README', () => {
  it('are those that the code reads, in its order', () => {
    expect(settingsOfCode().length).toBeGreaterThan(10);
    expect([...settingsOfReadme().keys()]).toEqual(settingsOfCode());
  });

  it('have the defaults that the code gives them', () => {
    const defaults = Object.entries(readEnvironment({})).filter(([, value]) => value !== undefined);
    const shown = settingsOfReadme();
    expect(defaults.length).toBeGreaterThan(3);
    for (const [name, value] of defaults) {
      expect([name, shown.get(name)?.replaceAll('`', '')]).toEqual([name, String(value)]);
    }
  });
});

describe('the decisions', () => {
  it('are numbered without a gap, and each stands in the index with its title', () => {
    const index = documentAt(`${ADRS}/README.md`).text;
    DECISIONS.forEach(({ path, text }, place) => {
      const file = path.slice(ADRS.length + 1);
      expect(Number(file.slice(0, 4))).toBe(place + 1);
      const [, number, title] = /^# (\d+)\. (.+)\n/.exec(text) ?? [];
      expect([file, Number(number)]).toEqual([file, place + 1]);
      expect(index).toContain(`[${title}](${file})`);
    });
  });

  it.each(DECISIONS)('$path says what, why, what else, what follows, and names a test that is there', ({ text }) => {
    const parts = [...text.matchAll(/^\*\*(.+?)\.\*\*/gm)].map(([, part]) => part);
    for (const part of ['Decision', 'Why', 'Rejected', 'Consequences', 'Proof']) expect(parts).toContain(part);
    const [, proof = ''] = text.split('**Proof.**');
    expect(proof).toMatch(/`(?:src|test)\/[\w./-]+\.spec\.ts`/);
  });
});
