import { readdir, readFile, readlink } from 'node:fs/promises';
import { isAlive } from './product.js';

/** Every process that works in a directory or was told its path, by argument or environment, this one left out. */
export async function processesUsing(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isSafeInteger(pid) && pid !== process.pid);
  const using = await Promise.all(pids.map((pid) => uses(pid, directory)));
  return pids.filter((pid, index) => using[index] && isAlive(pid));
}

async function uses(pid: number, directory: string): Promise<boolean> {
  const texts = await Promise.all([
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
    readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
  ]);
  return texts.some((text) => text.includes(directory));
}
