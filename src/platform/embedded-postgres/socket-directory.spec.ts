import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSocketDirectory } from './socket-directory.js';

const SELF = { description: 'this user', prefix: [] };
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'trunkline-sockets-'));
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function made(name: string): Promise<string | null> {
  await mkdir(join(home, name), { recursive: true });
  return makeSocketDirectory(join(home, name), SELF);
}

describe('the directory of the sockets', () => {
  it('is below the home of the database, for its user alone', async () => {
    const path = await makeSocketDirectory(home, SELF);
    expect(path).toBe(join(home, 'run'));
    expect((await stat(path!)).mode & 0o777).toBe(0o700);
    expect(await makeSocketDirectory(home, SELF)).toBe(path);
  });

  it.each([['d'.repeat(100)], ['a,b'], ['a b'], ['a"b']])('is none below %s', async (name) => {
    expect(await made(name)).toBeNull();
  });

  it('is none where no socket can be made, and says nothing of it', async () => {
    await mkdir(join(home, 'run', 'probe'), { recursive: true });
    await writeFile(join(home, 'run', 'probe', 'file'), '');
    expect(await makeSocketDirectory(home, SELF)).toBeNull();
  });
});
