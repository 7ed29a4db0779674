import type { Cleanup } from './cleanup.js';
import { startPostgres } from './postgres.js';
import { Program } from './program.js';

const CONNECTIONS = 32;
const WARM_UP_MS = 1_000;

export type TwoInsertMethods = {
  connect(options: { url: string; connections: number }): Promise<void>;
  /** Transactions a second. */
  run(durationMs: number): Promise<number>;
};

/** The baseline of what is stored: two-insert transactions of 32 clients on a server of its own. */
export class TwoInserts {
  private constructor(private readonly program: Program<TwoInsertMethods>) {}

  static async start(cleanup: Cleanup): Promise<TwoInserts> {
    const server = await startPostgres(cleanup);
    const program = Program.start<TwoInsertMethods>('two-inserts');
    cleanup.add(() => program.stop());
    await program.call('connect', { url: server.url, connections: CONNECTIONS });
    await program.call('run', WARM_UP_MS);
    return new TwoInserts(program);
  }

  /** Transactions a second. */
  rate(durationMs: number): Promise<number> {
    return this.program.call('run', durationMs);
  }
}
