import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataDirLock, lockDataDir } from './data-dir-lock.js';

const TYPESCRIPT = join(import.meta.dirname, '../../../scripts/lib/typescript.mjs');

let dir: string;
const locks: DataDirLock[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trunkline-lock-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  for (const lock of locks.splice(0)) await lock.release();
  await rm(dir, { recursive: true, force: true });
});

async function lock(path = dir): Promise<DataDirLock> {
  const taken = await lockDataDir(path);
  locks.push(taken);
  return taken;
}

/** Another process that wants the lock, and its first line: `held`, or why not. */
async function lockInChild(path = dir): Promise<{ child: ChildProcess; said: string }> {
  const code = `
    import { lockDataDir } from '${join(import.meta.dirname, 'data-dir-lock.ts')}';
    setInterval(() => undefined, 1000);
    console.log(await lockDataDir(process.argv[1]).then(() => 'held', (error) => error.message));`;
  const args = ['--import', TYPESCRIPT, '--input-type=module', '-e', code, path];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: said.toString().trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('the lock of a data directory', () => {
  it('keeps a second instance out, and tells whose it is', async () => {
    const { child, said } = await lockInChild();
    expect(said).toBe('held');
    await expect(lock()).rejects.toThrow(`the data directory ${dir} is in use by the process ${child.pid}`);
  });

  it('keeps this process out too, until it is released', async () => {
    const first = await lock();
    await expect(lock()).rejects.toThrow(`in use by the process ${process.pid}`);
    await first.release();
    await first.release();
    await lock();
  });

  it('is free at once when its owner was killed', async () => {
    const { child } = await lockInChild();
    await kill(child);
    await lock();
    expect(await readdir(join(dir, 'lock'))).toHaveLength(1);
  });

  it('is held by an owner that stands still', async () => {
    const { child } = await lockInChild();
    child.kill('SIGSTOP');
    await expect(lock()).rejects.toThrow(`in use by the process ${child.pid}`);
  });

  it('goes to one of many that start together, while dead ones lie about', async () => {
    const dead = await lockInChild();
    await kill(dead.child);
    const answers = await Promise.all(Array.from({ length: 4 }, () => lockInChild()));
    const owner = answers.find(({ said }) => said === 'held');
    const refused = answers.map(({ said }) => said).filter((said) => said !== 'held');
    expect(refused).toEqual(Array(3).fill(`the data directory ${dir} is in use by the process ${owner?.child.pid}`));
  });

  it('does not depend on what else lies in its directory', async () => {
    await mkdir(join(dir, 'lock'));
    await writeFile(join(dir, 'lock', `${process.pid}.lock`), String(process.pid));
    await writeFile(join(dir, 'lock', 'hidden'), '');
    await lock();
    expect(await readdir(join(dir, 'lock'))).toHaveLength(1);
  });

  it('works where the path is too long for a socket', async () => {
    const long = join(dir, 'x'.repeat(60), 'y'.repeat(60));
    const { child } = await lockInChild(long);
    await expect(lock(long)).rejects.toThrow(`${long} is in use by the process ${child.pid}`);
    expect(await readdir(long)).toEqual([]);
    await kill(child);
    const own = await lock(long);
    await own.release();
    const left = (await readdir(tmpdir())).filter((name) => /^trunkline-[0-9a-f]{16}$/.test(name));
    await Promise.all(left.map((name) => rm(join(tmpdir(), name), { recursive: true })));
  });

  it('names a directory that cannot be one', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(lock(join(dir, 'file', 'below'))).rejects.toThrow(
      `the data directory ${join(dir, 'file', 'below')} cannot be used: a part of its path is a file`,
    );
  });
});
