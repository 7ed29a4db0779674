import type { Cleanup } from './cleanup.js';
import { Program } from './program.js';

export interface Callback {
  readonly messageSid: string;
  readonly status: string;
  readonly atMs: number;
}

export type ReceiverMethods = {
  /** Listens on so many ports: to the product each is an endpoint of its own. */
  listen(ports: number): Promise<number[]>;
  /** What came since the last reset; repetitions count apart. */
  counts(argument: null): ReceiverCounts;
  /** Every callback with its time. */
  callbacks(argument: null): Callback[];
  reset(argument: null): void;
};

export interface ReceiverCounts {
  /** Requests, of whatever kind. */
  readonly requests: number;
  /** Different pairs of message and status. */
  readonly distinct: number;
  readonly unsigned: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly cpuMicros: number;
}

/** A receiver of callbacks in its own process: lean, and it answers at once. */
export class Receiver {
  private constructor(
    private readonly program: Program<ReceiverMethods>,
    readonly urls: readonly string[],
  ) {}

  static async start(ports: number, cleanup: Cleanup): Promise<Receiver> {
    const program = Program.start<ReceiverMethods>('receiver');
    cleanup.add(() => program.stop());
    const numbers = await program.call('listen', ports);
    return new Receiver(
      program,
      numbers.map((port) => `http://127.0.0.1:${port}`),
    );
  }

  counts(): Promise<ReceiverCounts> {
    return this.program.call('counts', null);
  }

  callbacks(): Promise<Callback[]> {
    return this.program.call('callbacks', null);
  }

  reset(): Promise<void> {
    return this.program.call('reset', null);
  }
}
