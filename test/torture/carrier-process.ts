import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Knobs } from '../../src/modules/carriers/infrastructure/simulator/knobs.js';
import { FaultProxy } from './fault-proxy.js';
import { freePort } from './ports.js';
import { sendSignal } from './signals.js';

const HERE = import.meta.dirname;
const TYPESCRIPT = join(HERE, '../../scripts/lib/typescript.mjs');
export const CARRIER_PASSWORD = 'torture1';

/** A carrier that can be killed, stopped and cut off. The product reaches it through the proxy, on one port for good. */
export class CarrierProcess {
  private child: ChildProcess | null = null;
  private knobs: Partial<Knobs> = {};

  private constructor(
    readonly name: string,
    readonly dir: string,
    private readonly port: number,
    readonly proxy: FaultProxy,
  ) {}

  static async start(name: string, dir: string): Promise<CarrierProcess> {
    let port = await freePort();
    const proxy = await FaultProxy.start(() => port);
    const carrier = new CarrierProcess(name, dir, port, proxy);
    port = carrier.port;
    await carrier.resume();
    return carrier;
  }

  /** Where it writes down what it was given. */
  get record(): string {
    return join(this.dir, `${this.name}.ndjson`);
  }

  /** Starts it, if it does not run. */
  async resume(): Promise<void> {
    if (this.child) return;
    const child = fork(join(HERE, 'carrier.main.ts'), [this.name, this.dir, String(this.port), CARRIER_PASSWORD], {
      execArgv: ['--import', TYPESCRIPT],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.child = child;
    child.on('error', () => undefined);
    const ended = once(child, 'exit').then(() => {
      if (this.child === child) this.child = null;
      return null;
    });
    const said = await Promise.race([once(child, 'message'), ended]);
    if (said === null) return;
    const [{ port }] = said as [{ port: number }];
    if (port !== this.port) throw new Error(`the carrier ${this.name} could not get its port ${this.port} back`);
    this.put(this.knobs);
  }

  /** How it misbehaves, also after it was killed. */
  put(knobs: Partial<Knobs>): void {
    this.knobs = { ...this.knobs, ...knobs };
    if (this.child?.connected) this.child.send(this.knobs, () => undefined);
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    sendSignal(this.child?.pid ?? 0, signal);
  }

  /** kill -9; false where it does not run. */
  async kill(): Promise<boolean> {
    const child = this.child;
    if (!child || child.signalCode !== null) return false;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    if (this.child === child) this.child = null;
    return true;
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.proxy.stop();
  }
}
