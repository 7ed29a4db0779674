import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export interface Options {
  /** Repeats every choice of a run; what the machine makes of them in time it cannot repeat. */
  readonly seed: number;
  /** Processes to end with SIGKILL, over all rounds. */
  readonly kills: number;
  /** Messages to send, over all rounds. */
  readonly messages: number;
  /** No round begins after this. */
  readonly minutes: number;
  readonly rounds: number;
  /** Kinds of trouble to leave out, to narrow down what it takes. */
  readonly without: ReadonlySet<string>;
  readonly json: string | null;
  /** Where everything is kept; removed after a run without violations, unless it was named. */
  readonly dir: string | null;
}

const DEFAULTS = { kills: 200, messages: 200_000, minutes: 60 };
const KILLS_PER_ROUND = 10;
const MAX_SEED = 2 ** 31;

export const TROUBLES = [
  'api',
  'worker',
  'postgres',
  'redis',
  'carrier',
  'pause',
  'weather',
  'webhooks',
  'full-disk',
  'cancel',
  'whole',
] as const;

export const USAGE = `npm run torture -- [options]
  --seed N      repeats the choices of a run (default: a random one, printed)
  --kills N     processes to kill (${DEFAULTS.kills})
  --messages N  messages to send (${DEFAULTS.messages})
  --minutes N   no round begins later than this (${DEFAULTS.minutes})
  --rounds N    rounds to share them among (one for every ${KILLS_PER_ROUND} kills)
  --without A,B kinds of trouble to leave out: ${TROUBLES.join(', ')}
  --json FILE   the report for machines
  --dir DIR     keeps the data and the logs there`;

/** Null where help is asked for. @throws Error in plain words where an argument is none */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      kills: { type: 'string' },
      messages: { type: 'string' },
      minutes: { type: 'string' },
      rounds: { type: 'string' },
      without: { type: 'string' },
      json: { type: 'string' },
      dir: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const kills = number('kills', values.kills, DEFAULTS.kills);
  return {
    seed: number('seed', values.seed, randomInt(MAX_SEED)),
    kills,
    messages: number('messages', values.messages, DEFAULTS.messages),
    minutes: number('minutes', values.minutes, DEFAULTS.minutes),
    rounds: Math.max(1, number('rounds', values.rounds, Math.ceil(kills / KILLS_PER_ROUND))),
    without: troubles(values.without ?? ''),
    json: values.json ?? null,
    dir: values.dir ?? null,
  };
}

function troubles(text: string): ReadonlySet<string> {
  const named = text.split(',').filter(Boolean);
  const unknown = named.find((name) => !TROUBLES.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`--without knows no "${unknown}", only ${TROUBLES.join(', ')}`);
  return new Set(named);
}

function number(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name} must be a whole number, not "${text}"`);
}
