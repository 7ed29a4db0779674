import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { readyUrl } from '../support/product.js';
import { sendSignal } from './signals.js';

const READY_MS = 120_000;
const STOP_MS = 45_000;
const RELAUNCH_MS = 500;
const MAX_TAIL_OCTETS = 4_096;

/** A product process that ended without having been told to, after it had been ready. */
export interface Crash {
  readonly name: string;
  readonly how: string;
  readonly lastWords: string;
}

export interface ProductProcessOptions {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Its standard output and error, of all its lives. */
  readonly log: string;
  readonly onCrash: (crash: Crash) => void;
}

/** One process of the product, kept running as an operator's supervisor would: what ends is started again. */
export class ProductProcess {
  readonly name: string;
  private child: ChildProcess | null = null;
  private wanted = false;
  private isReady = false;
  private keeping: Promise<void> = Promise.resolve();
  /** Not launched before this moment. */
  private notBeforeMs = 0;
  private logFrom = 0;

  constructor(private readonly options: ProductProcessOptions) {
    this.name = options.name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.env.PORT}`;
  }

  get isUp(): boolean {
    return this.isReady;
  }

  /** The process of this life; 0 between two. */
  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Keeps it running from now on. */
  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.keeping = this.keep();
  }

  async ready(): Promise<void> {
    await eventually(() => this.isReady, {
      timeoutMs: READY_MS,
      what: () => `${this.name} is ready; its log ${this.options.log} ends with:\n${this.lastWords()}`,
    });
  }

  /** kill -9; it comes back after that time. */
  async kill(restartAfterMs: number): Promise<boolean> {
    const { child } = this;
    if (!child || child.killed) return false;
    this.notBeforeMs = Date.now() + restartAfterMs;
    this.isReady = false;
    const exited = once(child, 'exit');
    if (!child.kill('SIGKILL')) return false;
    await exited;
    return true;
  }

  /** Stops it in its tracks, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    sendSignal(this.pid, signal);
  }

  /** Lets it drain, and by force where it does not. */
  async stop(): Promise<void> {
    this.wanted = false;
    const { child } = this;
    if (child) {
      const exited = once(child, 'exit');
      sendSignal(this.pid, 'SIGCONT');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(timer);
    }
    await this.keeping;
  }

  lastWords(): string {
    return this.written(Math.max(this.logFrom, sizeOf(this.options.log) - MAX_TAIL_OCTETS));
  }

  private async keep(): Promise<void> {
    while (this.wanted) {
      const wait = this.notBeforeMs - Date.now();
      if (wait > 0) await delay(Math.min(wait, RELAUNCH_MS));
      else await this.live();
    }
  }

  private async live(): Promise<void> {
    this.logFrom = sizeOf(this.options.log);
    const output = openSync(this.options.log, 'a');
    const child = spawn(process.execPath, ['--enable-source-maps', join(process.cwd(), 'dist', 'main.js')], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...this.options.env },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    this.child = child;
    void this.watchForReady(child);
    const [code, signal] = await exited;
    this.child = null;
    // Whoever kills it says so first; an end before it was ready is a start that failed, and is tried again.
    if (this.isReady && this.wanted) {
      this.options.onCrash({ name: this.name, how: signal ?? `exit code ${code}`, lastWords: this.lastWords() });
    }
    this.isReady = false;
    if (this.wanted) this.notBeforeMs = Math.max(this.notBeforeMs, Date.now() + RELAUNCH_MS);
  }

  private async watchForReady(child: ChildProcess): Promise<void> {
    const isOver = () => this.child !== child || child.killed;
    await eventually(() => isOver() || readyUrl(this.written(this.logFrom)) !== null, { timeoutMs: READY_MS }).catch(
      () => undefined,
    );
    if (!isOver()) this.isReady = true;
  }

  private written(from: number): string {
    const length = Math.max(0, Math.min(sizeOf(this.options.log) - from, 1_000_000));
    const octets = Buffer.alloc(length);
    const file = openSync(this.options.log, 'r');
    const read = readSync(file, octets, 0, length, from);
    closeSync(file);
    return octets.subarray(0, read).toString('utf8');
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
