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
  /** Whether there is a trouble of that kind, see TROUBLES. */
  has(trouble: string): boolean;
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
    const planner = new RoundPlanner(possible, number === options.rounds, random.fork(number));
    rounds.push(planner.plan(number, kills, messages));
  }
  return rounds;
}

/** Makes up one round. */
class RoundPlanner {
  private shape: RoundPlan['shape'] = 'split';
  private withRedis = false;
  private isDatabaseProxied = false;

  constructor(
    private readonly possible: Possible,
    private readonly isLast: boolean,
    private readonly random: Random,
  ) {}

  plan(number: number, kills: number, messages: number): RoundPlan {
    const { random, possible } = this;
    // Every third round, the second first, is one process that runs its own PostgreSQL.
    this.shape = number % 3 === 2 && possible.has('whole') ? 'whole' : 'split';
    this.withRedis = random.chance(0.5) && possible.has('redis');
    this.isDatabaseProxied = random.chance(0.5) && this.shape === 'split' && possible.has('weather');
    const { shape, withRedis, isDatabaseProxied } = this;
    return {
      number,
      shape,
      apis: shape === 'whole' ? 1 : random.between(1, 2),
      workers: shape === 'whole' ? 0 : random.between(1, 2),
      withRedis,
      isDatabaseProxied,
      knobs: Array.from({ length: possible.carriers }, () => knobs(random)),
      faults: this.faults(kills),
      messages,
    };
  }

  private faults(kills: number): Timed[] {
    const { random } = this;
    const timed: Timed[] = [];
    for (let killed = 0; killed < kills && timed.length < MAX_FAULTS; ) {
      const fault = (random.chance(0.6) ? null : this.trouble()) ?? this.kill();
      if (fault.kind === 'kill') killed += fault.what.length;
      // Some come together, the rest while the one before is barely over, or not yet.
      timed.push({ afterMs: random.chance(0.2) ? 0 : random.between(300, 4_500), fault });
    }
    return timed;
  }

  private kill(): Fault {
    const { random, possible } = this;
    const all: (readonly [readonly Killed[], number])[] = [
      [['api'], 3],
      [['postgres'], 2],
      [['carrier'], 3],
      [['api', 'postgres'], 1],
      [['carrier', 'postgres'], 0.5],
      [['worker'], 4],
      [['api', 'worker'], 1],
      [['api', 'worker', 'postgres', 'carrier'], 0.5],
      [['redis'], 2],
      [['api', 'redis'], 0.5],
    ];
    const isThere = (what: Killed) =>
      possible.has(what) && (what !== 'worker' || this.shape === 'split') && (what !== 'redis' || this.withRedis);
    const what = random.weighted(all.filter(([kinds]) => kinds.every(isThere)));
    return { kind: 'kill', what, which: random.between(0, 9), forMs: random.between(0, 3_000) };
  }

  /** Null where nothing but killing is left. */
  private trouble(): Fault | null {
    const { random, possible } = this;
    const kinds = this.troubles()
      .filter(([needs]) => needs.every((need) => possible.has(need)))
      .map(([, make, weight]) => [make, weight] as const);
    return kinds.length === 0 ? null : random.weighted(kinds)();
  }

  private troubles(): (readonly [readonly string[], () => Fault, number])[] {
    const { random } = this;
    const which = random.between(0, 9);
    const pauseMs = random.between(...PAUSE_MS);
    const bad = (where: 'carrier' | 'webhooks' | 'database', longestMs: number) => (): Fault => ({
      kind: 'weather',
      where,
      which,
      weather: weather(random),
      forMs: random.between(200, longestMs),
    });
    const isSplit = this.shape === 'split';
    // What a webhook's endpoint misses comes a minute later, which a run that is about to end need not wait for.
    const webhooks = this.isLast ? 0 : 1;
    return [
      [['pause'], () => ({ kind: 'pause', what: 'api', which, forMs: pauseMs }), 1],
      [['pause'], () => ({ kind: 'pause', what: 'worker', which, forMs: pauseMs }), isSplit ? 2 : 0],
      [['pause'], () => ({ kind: 'pause', what: 'carrier', which, forMs: random.between(500, 6_000) }), 1],
      [['weather'], bad('carrier', 6_000), 3],
      [['weather'], bad('database', 4_000), this.isDatabaseProxied ? 2 : 0],
      [['weather', 'webhooks'], bad('webhooks', 3_000), webhooks],
      [['webhooks'], () => ({ kind: 'failing-webhooks', forMs: random.between(100, 1_000) }), webhooks / 2],
      [['full-disk'], () => ({ kind: 'full-disk', forMs: random.between(500, 4_000) }), 0.7],
    ];
  }
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
