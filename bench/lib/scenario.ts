import type { Cleanup } from './cleanup.js';

/** What a scenario is given. */
export interface Context {
  /** A shorter run: fewer rounds, smaller amounts. */
  readonly quick: boolean;
  /** Where the queues of retries are; null: on PostgreSQL. */
  readonly redisUrl: string | null;
  /** Where the product leaves a profile of its CPU when it stops; null: nowhere. */
  readonly profileDir: string | null;
  /** Everything that the scenario starts is taken down through this, also when it fails. */
  readonly cleanup: Cleanup;
  /** Tells people what goes on. */
  progress(text: string): void;
}

/** What a figure is held against: the aim of a ratio to the baseline, or of the figure itself. */
export interface Aim {
  readonly of: 'ratio' | 'figure';
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One line of the report. Several values come from several rounds, figure and baseline in turn. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly figures: readonly number[];
  /** What it is compared with, and its value in each round. */
  readonly baseline?: { readonly name: string; readonly values: readonly number[] };
  readonly aim?: Aim;
}

export interface Outcome {
  readonly measures: readonly Measure[];
  /** What helps to read the figures: amounts, drain times, processor time, oddities. */
  readonly notes: readonly string[];
}

/** Something needed is not on this machine: the scenario is left out, and that is said. */
export class LeftOut extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'LeftOut';
  }
}

export interface Scenario {
  readonly name: string;
  /** One sentence for people. */
  readonly what: string;
  /** Measures once. Throws when something could not be measured, or a message was lost. */
  run(context: Context): Promise<Outcome>;
}

/** Runs baseline and product in turn, so that both meet the same moods of the machine. */
export async function inTurn(
  rounds: number,
  baseline: (round: number) => Promise<number>,
  figure: (round: number) => Promise<number>,
): Promise<{ baselines: number[]; figures: number[] }> {
  const [baselines, figures]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    baselines.push(await baseline(round));
    figures.push(await figure(round));
  }
  return { baselines, figures };
}
