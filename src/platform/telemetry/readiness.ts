import { Injectable } from '@nestjs/common';
import { Logger } from '../tokens.js';
import { within } from './within.js';

const TIME_LIMIT_MS = 2_000;
const KEPT_MS = 1_000;
const MAX_CHECKS = 100;

/** Something without which this process cannot serve: a database, a queue. */
export abstract class ReadinessCheck {
  /** As it is named in the answer; unique. */
  abstract readonly name: string;

  /** Resolves where it is well; throws where it is not. Given two seconds. */
  abstract check(): Promise<void>;
}

export interface ReadinessReport {
  readonly ready: boolean;
  /** Per check `ok`, `failed` or `timed out`; the reasons are in the log. */
  readonly checks: Readonly<Record<string, string>>;
}

/**
 * Whether this process can serve. Modules register their checks; an answer is kept for a second and shared, so that
 * nobody can load the database by asking. A process that is stopping is not ready.
 */
@Injectable()
export class Readiness {
  private readonly checks: ReadinessCheck[] = [];
  private last: { atMs: number; report: Promise<ReadinessReport> } | null = null;
  private stopping = false;

  constructor(private readonly logger: Logger) {}

  register(check: ReadinessCheck): void {
    if (this.checks.length >= MAX_CHECKS || this.checks.some(({ name }) => name === check.name)) {
      throw new Error(`the readiness check ${check.name} exists already, or there are ${MAX_CHECKS}`);
    }
    this.checks.push(check);
    this.last = null;
  }

  async report(nowMs: number = Date.now()): Promise<ReadinessReport> {
    if (this.stopping) return { ready: false, checks: { process: 'stopping' } };
    // A clock that was set back must not keep an answer alive.
    if (!this.last || Math.abs(nowMs - this.last.atMs) >= KEPT_MS) this.last = { atMs: nowMs, report: this.runAll() };
    return this.last.report;
  }

  /** From now on this process is not ready. */
  stop(): void {
    this.stopping = true;
  }

  private async runAll(): Promise<ReadinessReport> {
    const results = await Promise.all(this.checks.map(async (check) => [check.name, await this.run(check)] as const));
    return { ready: results.every(([, state]) => state === 'ok'), checks: Object.fromEntries(results) };
  }

  private async run(check: ReadinessCheck): Promise<string> {
    try {
      await within(TIME_LIMIT_MS, () => check.check());
      return 'ok';
    } catch (error) {
      this.logger.warn({ check: check.name, err: error }, 'a readiness check failed');
      return error instanceof Error && error.name === 'TimeLimitError' ? 'timed out' : 'failed';
    }
  }
}
