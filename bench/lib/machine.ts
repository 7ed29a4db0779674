import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { findBinaries } from '../../src/platform/embedded-postgres/binaries.js';

const run = promisify(execFile);
const BYTES_PER_GB = 2 ** 30;

/** What a figure was measured on; without it a figure means nothing. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  readonly version: string;
  readonly commit: string;
  /** Whether the sources differ from the commit. */
  readonly changed: boolean;
  /** Processes that wanted to run when the run began; near 0 on a quiet machine. */
  readonly loadAverage: number;
}

export async function describeMachine(): Promise<Machine> {
  const postgres = await run(findBinaries().postgres, ['--version']);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round((totalmem() / BYTES_PER_GB) * 10) / 10,
    system: `${platform()} ${release()}`,
    node: process.versions.node,
    postgres: /\d+(\.\d+)*/.exec(postgres.stdout)?.[0] ?? 'unknown',
    version,
    commit: await git('rev-parse', '--short', 'HEAD'),
    changed: (await git('status', '--porcelain', '--', 'src', 'prisma', 'bench', ':!bench/history')) !== '',
    loadAverage: Math.round(loadavg()[0]! * 100) / 100,
  };
}

/** Empty where this is no checkout. */
async function git(...args: string[]): Promise<string> {
  const answer = await run('git', args, { cwd: import.meta.dirname }).catch(() => ({ stdout: '' }));
  return answer.stdout.trim();
}
