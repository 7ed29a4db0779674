import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Cleanup } from './cleanup.js';

const STOP_MS = 10_000;

/** A foreign program that runs until it is stopped. Its output is of no interest unless it ends by itself. */
export class Daemon {
  private constructor(
    private readonly child: ChildProcess,
    private readonly program: string,
  ) {}

  static start(program: string, args: readonly string[], cleanup: Cleanup, cwd?: string): Daemon {
    const child = spawn(program, args, { stdio: 'ignore', detached: true, ...(cwd === undefined ? {} : { cwd }) });
    child.on('error', () => undefined);
    const daemon = new Daemon(child, program);
    cleanup.add(() => daemon.stop());
    return daemon;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Throws when it has ended by itself. */
  check(): void {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null) throw new Error(`${this.program} ended (${exitCode ?? signalCode})`);
  }

  async stop(): Promise<void> {
    if (this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  }
}
