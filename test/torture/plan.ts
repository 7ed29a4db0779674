import type { Knobs } from '../../src/modules/carriers/infrastructure/simulator/knobs.js';
import type { Weather } from './fault-proxy.js';
import type { Options } from './options.js';
import type { Random } from './random.js';

export const KILLED = ['api', 'worker', 'postgres', 'redis', 'carrier'] as const;
export type Killed = (typeof KILLED)[number];

/** One thing that goes wrong, and comes right again after `forMs`. */
export type Fault =
  | { readonly kind: 'kill'; readonly what: readonly Killed[]; readonly which: number; readonly forMs: number }
  | {
      readonly kind: 'pause';
      readonly what: 'api' | 'worker' | 'carrier';
      readonly which: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'weather';
      readonly where: 'carrier' | 'webhooks' | 'database';
      readonly which: number;
      readonly weather: Weather;
      readonly forMs: number;
    }
  | { readonly kind: 'failing-webhooks'; readonly forMs: number }
  | { readonly kind: 'full-disk'; readonly forMs: number };

/** A fault and the pause before it, counted from the beginning of the one before. */
export interface Timed {
  readonly afterMs: number;
  readonly fault: Fault;
}

/** What a round runs: processes of each role on one PostgreSQL, or everything in one process with its own. */
export interface RoundPlan {
  readonly number: number;
  readonly shape: 'split' | 'whole';
  readonly apis: number;
  readonly workers: number;
  readonly withRedis: boolean;
  readonly isDatabaseProxied: boolean;
  readonly knobs: readonly Partial<Knobs>[];
  readonly faults: readonly Timed[];
  readonly messages: number;
}

export interface Possible {
  readonly redis: boolean;
  readonly fullDisk: boolean;
  readonly carriers: number;
}

/** Longer than the leases, which last 5 s. */
const PAUSE_MS = [5_500, 12_000] as const;
const MAX_FAULTS = 400;

/** Everything that the rounds of a run will do. */
export function planRounds(options: Options, possible: Possible, random: Random): RoundPlan[] {
  const rounds: RoundPlan[] = [];
  let killsLeft = options.kills;
  let messagesLeft = options.messages;
  for (let number = 1; number <= options.rounds; number++) {
    const left = options.rounds - number + 1;
    const kills = Math.ceil(killsLeft / left);
    const messages = Math.ceil(messagesLeft / left);
    killsLeft -= kills;
    messagesLeft -= messages;
    rounds.push(planRound(number, kills, messages, number === options.rounds, possible, random.fork(number)));
  }
  return rounds;
}

function planRound(
  number: number,
  kills: number,
  messages: number,
  isLast: boolean,
  possible: Possible,
  random: Random,
): RoundPlan {
  // Every third round, the second first, is one process that runs its own PostgreSQL.
  const shape = number % 3 === 2 ? 'whole' : 'split';
  const withRedis = possible.redis && random.chance(0.5);
  const plan = {
    number,
    shape,
    apis: shape === 'whole' ? 1 : random.between(1, 2),
    workers: shape === 'whole' ? 0 : random.between(1, 2),
    withRedis,
    isDatabaseProxied: shape === 'split' && random.chance(0.5),
    knobs: Array.from({ length: possible.carriers }, () => knobs(random)),
    messages,
  } as const;
  return { ...plan, faults: faults(plan, kills, isLast, possible, random) };
}

function knobs(random: Random): Partial<Knobs> {
  return {
    latency_ms: random.weighted([
      [0, 3],
      [random.between(1, 40), 2],
      [random.between(200, 800), 1],
    ]),
    error_rate: random.chance(0.3) ? 0.03 : 0,
    throttle_tps: random.chance(0.2) ? random.between(100, 400) : 0,
    receipt_delay_ms: random.chance(0.3) ? random.between(1, 2_000) : 0,
    receipt_duplicate_rate: random.chance(0.5) ? 0.05 : 0,
    receipt_before_response: random.chance(0.2),
  };
}

function faults(
  plan: Omit<RoundPlan, 'faults'>,
  kills: number,
  isLast: boolean,
  possible: Possible,
  random: Random,
): Timed[] {
  const timed: Timed[] = [];
  let killed = 0;
  while (killed < kills && timed.length < MAX_FAULTS) {
    const fault = random.chance(0.6) ? kill(plan, random) : trouble(plan, isLast, possible, random);
    if (fault.kind === 'kill') killed += fault.what.length;
    // Some come together, the rest while the one before is barely over, or not yet.
    timed.push({ afterMs: random.chance(0.2) ? 0 : random.between(300, 4_500), fault });
  }
  return timed;
}

function kill({ shape, withRedis }: Omit<RoundPlan, 'faults'>, random: Random): Fault {
  const kinds: (readonly [readonly Killed[], number])[] = [
    [['api'], 3],
    [['postgres'], 2],
    [['carrier'], 3],
    [['api', 'postgres'], 1],
    [['carrier', 'postgres'], 0.5],
  ];
  if (shape === 'split')
    kinds.push([['worker'], 4], [['api', 'worker'], 1], [['api', 'worker', 'postgres', 'carrier'], 0.5]);
  if (withRedis) kinds.push([['redis'], 2], [['api', 'redis'], 0.5]);
  return { kind: 'kill', what: random.weighted(kinds), which: random.between(0, 9), forMs: random.between(0, 3_000) };
}

function trouble(
  { shape, isDatabaseProxied }: Omit<RoundPlan, 'faults'>,
  isLast: boolean,
  possible: Possible,
  random: Random,
): Fault {
  const which = random.between(0, 9);
  const pauseMs = random.between(...PAUSE_MS);
  const kinds: (readonly [() => Fault, number])[] = [
    [() => ({ kind: 'pause', what: 'api', which, forMs: pauseMs }), 1],
    [() => ({ kind: 'pause', what: 'carrier', which, forMs: random.between(500, 6_000) }), 1],
    [
      () => ({ kind: 'weather', where: 'carrier', which, weather: weather(random), forMs: random.between(300, 6_000) }),
      3,
    ],
  ];
  // What a webhook's endpoint misses comes a minute later, which a run that is about to end need not wait for.
  if (!isLast) {
    kinds.push(
      [
        () => ({
          kind: 'weather',
          where: 'webhooks',
          which,
          weather: weather(random),
          forMs: random.between(200, 3_000),
        }),
        1,
      ],
      [() => ({ kind: 'failing-webhooks', forMs: random.between(100, 1_000) }), 0.5],
    );
  }
  if (shape === 'split') kinds.push([() => ({ kind: 'pause', what: 'worker', which, forMs: pauseMs }), 2]);
  if (isDatabaseProxied) {
    kinds.push([
      () => ({
        kind: 'weather',
        where: 'database',
        which,
        weather: weather(random),
        forMs: random.between(200, 4_000),
      }),
      2,
    ]);
  }
  if (possible.fullDisk) kinds.push([() => ({ kind: 'full-disk', forMs: random.between(500, 4_000) }), 0.7]);
  return random.weighted(kinds)();
}

function weather(random: Random): Weather {
  return random.weighted<Weather>([
    [{ kind: 'reset' }, 3],
    [{ kind: 'silence', cutAfterwards: true }, 2],
    [{ kind: 'silence', cutAfterwards: false }, 2],
    [{ kind: 'half-open' }, 2],
    [{ kind: 'latency', ms: random.between(20, 600) }, 2],
    [{ kind: 'close-after', octets: random.between(1, 20_000) }, 2],
  ]);
}
