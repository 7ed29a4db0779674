import type { Cleanup } from './cleanup.js';
import { type Buckets, Histogram } from './histogram.js';
import { Program } from './program.js';

export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Whole requests with `#` where their number goes (see Template), taken in turn. */
  readonly requests: readonly string[];
  /** The number of the first request; default 0. */
  readonly firstNumber?: number;
  /** It ends after so many requests, or after a time. */
  readonly count?: number;
  readonly durationMs?: number;
  /** Requests a second of an open loop: they start when they are due, answered or not. Absent: a closed loop. */
  readonly rate?: number;
  /** How long a client waits before it cuts its connection. */
  readonly patienceMs?: number;
  readonly collectSids?: boolean;
}

export interface LoadResult {
  readonly sent: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests whose connection broke: nobody knows what became of them. */
  readonly unanswered: number;
  /** Requests whose client lost patience. */
  readonly gaveUp: number;
  /** Of the answers of 2xx, from the intended start. */
  readonly latencies: Buckets;
  readonly startedMs: number;
  readonly lastAnswerMs: number;
  readonly cpuMicros: number;
  readonly sids: readonly string[];
  readonly nextNumber: number;
}

export type LoadMethods = { run(plan: LoadPlan): Promise<LoadResult> };

/** The load process, and what it has sent so far. */
export class Load {
  private nextNumber = 0;

  private constructor(
    private readonly program: Program<LoadMethods>,
    private readonly host: string,
    private readonly port: number,
  ) {}

  /** A load process against one server. */
  static start(url: string, cleanup: Cleanup): Load {
    const program = Program.start<LoadMethods>('load');
    cleanup.add(() => program.stop());
    const { hostname, port } = new URL(url);
    return new Load(program, hostname, Number(port));
  }

  get pid(): number {
    return this.program.pid;
  }

  /** Bodies are unique over all runs of this process. */
  async run(plan: Omit<LoadPlan, 'host' | 'port' | 'firstNumber'>): Promise<LoadOutcome> {
    const { host, port, nextNumber: firstNumber } = this;
    const result = await this.program.call('run', { host, port, firstNumber, ...plan });
    this.nextNumber = result.nextNumber;
    return new LoadOutcome(result);
  }
}

/** What came of one run. */
export class LoadOutcome {
  readonly latencies: Histogram;

  constructor(readonly result: LoadResult) {
    this.latencies = Histogram.from(result.latencies);
  }

  /** How many were answered with this status. */
  count(status: number): number {
    return this.result.statuses[status] ?? 0;
  }

  get elapsedSeconds(): number {
    return (this.result.lastAnswerMs - this.result.startedMs) / 1_000;
  }

  /** Answers of that status a second. */
  rate(status: number): number {
    return this.count(status) / this.elapsedSeconds;
  }

  get cpuMicrosPerRequest(): number {
    return this.result.cpuMicros / this.result.sent;
  }

  /** How many may have had an effect without having been answered. */
  get uncertain(): number {
    return this.result.unanswered + this.result.gaveUp + this.count(500) + this.count(503) + this.count(504);
  }

  /** What came besides the wanted status, and how often. */
  others(wanted: number): [what: string, count: number][] {
    const { statuses, unanswered, gaveUp } = this.result;
    const rest = Object.entries(statuses).filter(([status]) => Number(status) !== wanted);
    return [...rest, ['unanswered', unanswered] as [string, number], ['given up', gaveUp] as [string, number]].filter(
      ([, count]) => count > 0,
    );
  }
}

/** The answers of all runs other than the wanted one, as a note; none where there were none. */
export function otherAnswers(outcomes: readonly LoadOutcome[], wanted: number): string[] {
  const sums = new Map<string, number>();
  for (const outcome of outcomes) {
    for (const [what, count] of outcome.others(wanted)) sums.set(what, (sums.get(what) ?? 0) + count);
  }
  const all = outcomes.reduce((sum, { result }) => sum + result.sent, 0);
  const words = [...sums].map(([what, count]) => `${count} × ${what}`);
  return words.length === 0 ? [] : [`of ${all} requests: ${words.join(', ')}`];
}
