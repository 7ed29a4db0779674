import type { Cleanup } from './cleanup.js';
import { Program } from './program.js';

export interface SmscOptions {
  /** Reports delivery of everything, so long after the answer; null: never. */
  readonly receiptDelayMs: number | null;
}

/** What a carrier of the harness was given, by its own count. */
export interface SmscCounts {
  readonly submitted: number;
  readonly receipts: number;
  readonly confirmed: number;
  readonly cpuMicros: number;
}

/** Instants of what is watched, by the machine's monotonic clock (see clock.ts). */
export interface Sighting {
  readonly to: string;
  readonly atMs: number;
}

export type SmscMethods = {
  listen(options: SmscOptions): Promise<number>;
  /** Keeps receipts back, or lets them go. */
  hold(held: boolean): void;
  /** Destinations that begin like this are told, with the time they came and the time their receipts left. */
  watch(prefix: string): void;
  sightings(argument: null): { submitted: Sighting[]; reported: Sighting[] };
  counts(argument: null): SmscCounts;
};

/** Told unasked when the receipt of a watched destination has left. */
export interface ReceiptLeft {
  readonly reported: Sighting;
}

/** A carrier of the harness's own, in its own process: lean, and it answers at once. */
export class Smsc {
  private constructor(
    private readonly program: Program<SmscMethods>,
    readonly port: number,
  ) {}

  static async start(options: SmscOptions, cleanup: Cleanup): Promise<Smsc> {
    const program = Program.start<SmscMethods>('smsc');
    cleanup.add(() => program.stop());
    return new Smsc(program, await program.call('listen', options));
  }

  get pid(): number {
    return this.program.pid;
  }

  /** Keeps receipts back, or lets them go. */
  hold(held: boolean): Promise<void> {
    return this.program.call('hold', held);
  }

  watch(prefix: string, onReceiptLeft: (sighting: Sighting) => void = () => undefined): Promise<void> {
    this.program.onEvent((event) => onReceiptLeft((event as ReceiptLeft).reported));
    return this.program.call('watch', prefix);
  }

  sightings(): Promise<{ submitted: Sighting[]; reported: Sighting[] }> {
    return this.program.call('sightings', null);
  }

  counts(): Promise<SmscCounts> {
    return this.program.call('counts', null);
  }
}
