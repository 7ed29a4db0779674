import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Linux counts processor time in hundredths of a second. */
const MICROS_PER_TICK = 10_000;
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;
const CHILDREN_USER_FIELD = 13;
const CHILDREN_SYSTEM_FIELD = 14;

/** Processor time of a process since its start, in microseconds; 0 where it is gone. */
export function cpuMicrosOf(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[USER_FIELD] ?? 0) + Number(fields[SYSTEM_FIELD] ?? 0)) * MICROS_PER_TICK;
}

/** The same of a process, those below it, and those below it that have ended. */
export function cpuMicrosOfTree(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, each) => {
    const fields = statFields(each);
    const ended = Number(fields[CHILDREN_USER_FIELD] ?? 0) + Number(fields[CHILDREN_SYSTEM_FIELD] ?? 0);
    return sum + cpuMicrosOf(each) + ended * MICROS_PER_TICK;
  }, 0);
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const status = readOrNothing(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Memory of processes that share much, such as PostgreSQL's: shared pages are divided among those that use them. */
export function proportionalBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const rollup = readOrNothing(`/proc/${pid}/smaps_rollup`);
    return sum + Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  }, 0);
}

export function descendants(pid: number): number[] {
  const children = readOrNothing(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** The PostgreSQL server of a data directory. */
export async function postmasterOf(dataDir: string): Promise<number> {
  const text = await readFile(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}

/** The fields after the program's name, which is in parentheses and may hold anything. */
function statFields(pid: number): string[] {
  return readOrNothing(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
