import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DEFAULT_KNOBS, turnKnobs } from './knobs.js';
import {
  type CarrierSnapshot,
  carrierSnapshotSchema,
  type InboundRequest,
  type SentInbound,
  type SubmissionPage,
  type SubmissionQuery,
  sentInboundSchema,
  submissionPageSchema,
  submissionQuerySchema,
} from './simulated-carrier.js';
import { type CarrierConfig, messageSchema, type Operation, startedSchema } from './simulator-protocol.js';

export interface SimulatorOptions {
  /** Where the carriers' records are kept. */
  readonly dir: string;
  readonly carriers: readonly CarrierConfig[];
  readonly log: (line: string) => void;
  /** The compiled entry of the process; default: the one beside this file. */
  readonly entry?: URL;
}

const REQUEST_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 5_000;
const MAX_DOUBLINGS = 10;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The simulated carriers' process as its parent sees it. A process that dies is replaced, with its ports and knobs. */
export class SimulatorProcess {
  private readonly carriers: Map<string, CarrierConfig>;
  private readonly waiting = new Map<number, Waiting>();
  private readonly stopped = new AbortController();
  private child: ChildProcess | null = null;
  private ended: Promise<void> = Promise.resolve();
  /** Resolves when the process can be asked, or will not be any more. */
  private ready: Promise<void> = Promise.resolve();
  private lastId = 0;

  private constructor(private readonly options: SimulatorOptions) {
    this.carriers = new Map(options.carriers.map((carrier) => [carrier.name, carrier]));
  }

  /** Starts the process. Rejects where the carriers cannot be started; afterwards it is kept alive until stop(). */
  static async start(options: SimulatorOptions): Promise<SimulatorProcess> {
    const simulator = new SimulatorProcess(options);
    await simulator.launch();
    void simulator.keepAlive();
    return simulator;
  }

  /** The port of each carrier. A replaced process takes the same ones if they are free. */
  get ports(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.carriers].map(([name, { port = 0 }]) => [name, port]));
  }

  /** Null while a process that died is being replaced. */
  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  async get(name: string): Promise<CarrierSnapshot> {
    return carrierSnapshotSchema.parse(await this.call({ kind: 'get', name }));
  }

  /** Changes some knobs of a carrier. Rejects with KnobError, which names the fields at fault. */
  async put(name: string, knobs: unknown): Promise<CarrierSnapshot> {
    turnKnobs(DEFAULT_KNOBS, knobs);
    const snapshot = carrierSnapshotSchema.parse(await this.call({ kind: 'put', name, knobs }));
    const carrier = this.carriers.get(name);
    if (carrier !== undefined) this.carriers.set(name, { ...carrier, knobs: snapshot.knobs });
    return snapshot;
  }

  /** A page of what a carrier was given, oldest first; `after` is the last sequence number of the page before. */
  async submissions(name: string, query: SubmissionQuery): Promise<SubmissionPage> {
    const checked = submissionQuerySchema.parse(query);
    return submissionPageSchema.parse(await this.call({ kind: 'submissions', name, query: checked }));
  }

  /** Lets a phone send a message through a carrier. Rejects where the carrier's client does not take it. */
  async inbound(name: string, request: InboundRequest): Promise<SentInbound> {
    return sentInboundSchema.parse(await this.call({ kind: 'inbound', name, request }));
  }

  /** Ends the process and waits for its end. */
  async stop(): Promise<void> {
    this.stopped.abort();
    if (this.child !== null) await this.ask({ kind: 'stop' }, STOP_TIMEOUT_MS).catch(() => undefined);
    await this.kill();
  }

  private async call(operation: Operation & { name: string }): Promise<unknown> {
    if (!this.carriers.has(operation.name)) throw new RangeError(`there is no simulated carrier "${operation.name}"`);
    await Promise.race([this.ready, delay(REQUEST_TIMEOUT_MS, undefined, { ref: false })]);
    return this.ask(operation, REQUEST_TIMEOUT_MS);
  }

  private async ask(operation: Operation, timeoutMs: number): Promise<unknown> {
    const { child } = this;
    if (child === null) throw new Error('the simulator is not running');
    this.lastId += 1;
    const id = this.lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.waiting.set(id, { resolve, reject });
    const timer = setTimeout(() => reject(new Error(`the simulator did not answer in ${timeoutMs} ms`)), timeoutMs);
    child.send({ id, operation }, (error) => {
      if (error !== null) reject(error);
    });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }

  private async launch(): Promise<void> {
    const entry = this.options.entry ?? new URL('./simulator.main.js', import.meta.url);
    const end = Promise.withResolvers<void>();
    // No settings of the product reach it: it needs none, and some are secrets.
    const env = { PATH: process.env.PATH ?? '' };
    const child = fork(fileURLToPath(entry), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [], env });
    child.on('message', (message) => this.onMessage(message));
    child.once('exit', (code, signal) => this.onEnd(child, signal ?? `exit code ${code}`, end.resolve));
    child.once('error', (error) => this.onEnd(child, error.message, end.resolve));
    this.child = child;
    this.ended = end.promise;
    try {
      const operation: Operation = { kind: 'start', dir: this.options.dir, carriers: [...this.carriers.values()] };
      const { ports } = startedSchema.parse(await this.ask(operation, START_TIMEOUT_MS));
      for (const [name, carrier] of this.carriers) this.carriers.set(name, { ...carrier, port: ports[name] ?? 0 });
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  private async keepAlive(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await this.ended;
      this.ready = this.relaunch();
      await this.ready;
    }
  }

  private async relaunch(): Promise<void> {
    const { signal } = this.stopped;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const waitMs = Math.min(MAX_RESTART_MS, FIRST_RESTART_MS * 2 ** Math.min(MAX_DOUBLINGS, failures));
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.launch();
        this.options.log('the simulator was restarted');
        return;
      } catch (error) {
        this.options.log(`the simulator could not be restarted: ${String(error)}`);
      }
    }
  }

  private async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  private onMessage(raw: unknown): void {
    const message = messageSchema.parse(raw);
    if ('log' in message) this.options.log(message.log);
    else if ('error' in message) this.waiting.get(message.id)?.reject(new Error(message.error));
    else this.waiting.get(message.id)?.resolve(message.result);
  }

  private onEnd(child: ChildProcess, why: string, end: () => void): void {
    if (this.child !== child) return;
    this.child = null;
    const error = new Error(`the simulator ended: ${why}`);
    for (const waiting of this.waiting.values()) waiting.reject(error);
    if (!this.stopped.signal.aborted) this.options.log(error.message);
    end();
  }
}
