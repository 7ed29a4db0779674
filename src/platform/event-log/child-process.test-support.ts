import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ChildInput } from './child.test-support.js';

const ENTRY = fileURLToPath(new URL('./child.test-support.ts', import.meta.url));
const LOADER = new URL('../../../scripts/lib/typescript.mjs', import.meta.url).href;

/** A process of its own that consumes or appends, and can be stopped and killed. */
export class Child {
  private readonly process: ChildProcess;
  private readonly ended: Promise<unknown>;
  private out = '';
  private err = '';

  constructor(input: ChildInput) {
    this.process = spawn(process.execPath, ['--import', LOADER, ENTRY, JSON.stringify(input)], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.ended = once(this.process, 'close');
    this.process.stdout!.on('data', (chunk) => {
      this.out += chunk;
    });
    this.process.stderr!.on('data', (chunk) => {
      this.err += chunk;
    });
  }

  /** What it has written, line by line; an error with what it complained about when it ended by itself. */
  lines(): string[] {
    if (this.process.exitCode) throw new Error(`the child ended with ${this.process.exitCode}: ${this.err}`);
    return this.out.split('\n').slice(0, -1);
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Whether it was stopped by a signal and waits to be continued. */
  async isStopped(): Promise<boolean> {
    const stat = await readFile(`/proc/${this.process.pid}/stat`, 'utf8');
    return /\) T /.test(stat);
  }

  /** Waits for its end, however it comes; the name of the signal that ended it. */
  async end(): Promise<NodeJS.Signals | null> {
    await this.ended;
    if (this.process.exitCode) throw new Error(`the child ended with ${this.process.exitCode}: ${this.err}`);
    return this.process.signalCode;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}
