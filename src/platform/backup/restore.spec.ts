import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { packTar, type TarEntry, unpackTar } from 'modern-tar';
import { lockDataDir } from '../embedded-postgres/data-dir-lock.js';
import { assertNoHalfRestore, restore } from './restore.js';

const MAJOR = 18;
const HEADER = {
  format: 1,
  product: 'trunkline 0.1.0',
  postgres_version: '18.4',
  postgres_major: MAJOR,
  system_identifier: '1',
  architecture: process.arch,
  started_at: '2026-01-01T00:00:00.000Z',
};
const FILES = { 'secrets.json': '{}', 'postgres/data/PG_VERSION': '18\n', 'postgres/data/base/1/2': 'x'.repeat(9_000) };

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trunkline-restore-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const entry = (name: string, body: string): TarEntry => ({
  header: { name, size: Buffer.byteLength(body), type: 'file', mode: 0o777 },
  body,
});
const manifestOf = (files: Readonly<Record<string, string>>) => ({
  state_at: '2026-01-01T00:00:01.000Z',
  wal_from: '000000010000000000000001',
  wal_to: '000000010000000000000001',
  files: Object.entries(files).map(([path, text]) => ({ path, bytes: text.length, sha256: sha256(text) })),
});
const dataOf = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).map(([path, text]) => entry(`data/${path}`, text));

interface Parts {
  header?: object;
  data?: TarEntry[];
  manifest?: object | null;
  after?: TarEntry[];
}

async function archive({
  header = HEADER,
  data = dataOf(FILES),
  manifest = manifestOf(FILES),
  after = [],
}: Parts = {}) {
  const end = manifest ? [entry('manifest.json', JSON.stringify(manifest))] : [];
  return gzipSync(await packTar([entry('backup.json', JSON.stringify(header)), ...data, ...end, ...after]));
}

function restoring(bytes: Uint8Array, dataDir = dir) {
  // In pieces that respect nothing, as a disk or a network gives them.
  const pieces = Array.from({ length: Math.ceil(bytes.length / 777) }, (_, i) =>
    bytes.subarray(i * 777, (i + 1) * 777),
  );
  return restore({ dataDir, input: Readable.from(pieces), postgresMajor: MAJOR });
}

/** What is left in the directory, its lock aside. */
const left = async () => (await readdir(dir)).filter((name) => name !== 'lock');

describe('a restore', () => {
  it('puts every file in its place, for its owner alone, and says what it was', async () => {
    const target = join(dir, 'new', 'data');
    const done = await restoring(await archive(), target);
    expect(done).toEqual({
      files: 3,
      bytes: 9_005,
      product: 'trunkline 0.1.0',
      stateAt: new Date('2026-01-01T00:00:01.000Z'),
    });
    for (const [path, text] of Object.entries(FILES)) expect(await readFile(join(target, path), 'utf8')).toBe(text);
    expect((await stat(join(target, 'secrets.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(target, 'postgres/data'))).mode & 0o777).toBe(0o700);
    expect((await readdir(target)).sort()).toEqual(['lock', 'postgres', 'secrets.json']);
  });

  it('refuses a directory that is not empty, and leaves it as it is', async () => {
    await writeFile(join(dir, 'note'), 'mine');
    await expect(restoring(await archive())).rejects.toThrow(`the directory ${dir} is not empty (note)`);
    expect(await left()).toEqual(['note']);
  });

  it('refuses a directory that another process uses', async () => {
    const lock = await lockDataDir(dir);
    await expect(restoring(await archive())).rejects.toThrow('is in use by the process');
    await lock.release();
    expect(await left()).toEqual([]);
  });

  it('takes what a file system makes by itself for nothing', async () => {
    await mkdir(join(dir, 'lost+found'));
    await restoring(await archive());
    expect((await left()).sort()).toEqual(['lost+found', 'postgres', 'secrets.json']);
  });

  it('is not finished by a start: a half of one is named', async () => {
    await expect(assertNoHalfRestore(dir)).resolves.toBeUndefined();
    await mkdir(join(dir, 'restore.new-abc'));
    await expect(assertNoHalfRestore(dir)).rejects.toThrow('did not end');
  });
});

describe('a restore refuses, and leaves nothing behind,', () => {
  const cases: [string, RegExp, () => Promise<Uint8Array>][] = [
    ['what is no archive at all', /damaged, or no backup/, async () => Buffer.from('hello')],
    ['an empty file', /damaged, or no backup|cut off/, async () => Buffer.alloc(0)],
    ['another archive', /no backup of this product/, async () => gzipSync(await packTar([entry('a.txt', 'x')]))],
    ['one that ends too early', /damaged/, async () => (await archive()).subarray(0, 300)],
    ['one without its end', /cut off/, () => archive({ manifest: null })],
    ['one with a changed byte in a file', /checksum of the file "postgres\/data\/base\/1\/2" is wrong/, flipped],
    ['a missing file', /"secrets.json" is missing/, () => archive({ data: dataOf(FILES).slice(1) })],
    [
      'a file too many',
      /manifest does not name/,
      () => archive({ data: [...dataOf(FILES), entry('data/extra', 'x')] }),
    ],
    ['a file that comes twice', /in it twice/, () => archive({ data: [...dataOf(FILES), ...dataOf(FILES)] })],
    ['what follows its end', /follows its end/, () => archive({ after: [entry('data/more', 'x')] })],
    [
      'another major version of PostgreSQL',
      /of PostgreSQL 17, and this version brings PostgreSQL 18/,
      () => archive({ header: { ...HEADER, postgres_major: 17 } }),
    ],
    ['another format', /format is 2/, () => archive({ header: { ...HEADER, format: 2 } })],
    ['another processor', /another kind of processor/, () => archive({ header: { ...HEADER, architecture: 'vax' } })],
    ['a header that is none', /backup.json in it cannot be read/, () => archive({ header: { format: 'one' } })],
  ];
  it.each(cases)('%s', async (_, reason, make) => {
    await expect(restoring(await make())).rejects.toThrow(reason);
    expect(await left()).toEqual([]);
  });

  it.each([
    'data/../../outside',
    'data/postgres/../../../outside',
    '/etc/outside',
    'data//outside',
    'data/./outside',
    '../outside',
    'data/a\\..\\b',
    'data/a\u0007b',
    'elsewhere/file',
    'data/',
  ])('the path %j', async (name) => {
    const header = { name, size: 1, type: 'file' as const };
    await expect(restoring(await archive({ data: [...dataOf(FILES), { header, body: 'x' }] }))).rejects.toThrow(
      /leads elsewhere|damaged/,
    );
    expect(await left()).toEqual([]);
    await expect(stat(join(dir, '..', 'outside'))).rejects.toThrow('ENOENT');
  });

  it.each(['symlink', 'link', 'fifo', 'character-device'] as const)('a %s', async (type) => {
    const header = { name: 'data/postgres/x', size: 0, type, linkname: '/etc/passwd' };
    await expect(restoring(await archive({ data: [...dataOf(FILES), { header }] }))).rejects.toThrow(`holds a ${type}`);
    expect(await left()).toEqual([]);
  });
});

/** The archive with one byte of a file changed, and everything around it right. */
async function flipped(): Promise<Uint8Array> {
  const entries = await unpackTar(gunzipSync(await archive()));
  const changed = entries.map(({ header, data }) => {
    if (!data || !header.name.endsWith('/2')) return { header, ...(data ? { data } : {}) };
    const copy = Uint8Array.from(data);
    copy[4_000] = 0;
    return { header, data: copy };
  });
  return gzipSync(await packTar(changed));
}
