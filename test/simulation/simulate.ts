import { Customer, type Wish } from './customer.js';
import { Invariants } from './invariants.js';
import { Parts, type PartsClass, Product } from './product.js';
import { Random } from './random.js';
import { Shared } from './shared.js';
import { enter } from './virtual-time.js';
import { Host, World } from './world.js';

export interface Verdict {
  readonly seed: number;
  /** What did not hold; null where everything did. */
  readonly violation: string | null;
  readonly turns: number;
  readonly trace: readonly string[];
}

const QUIET_TURNS = 40;
const MOST_TURNS_TO_REST = 6_000;
const LONG_TEXT = 'x'.repeat(200);

/**
 * How much of a schedule is spent on what happens when nothing does. `full`: every loop looks as often as it does, and
 * each look is a turn. `quick`: loops sleep longer, and a look that finds nothing costs next to nothing. `brief`: the
 * same for one message or two, and for a shorter while.
 */
export type Detail = 'full' | 'quick' | 'brief';

interface Extent {
  readonly instant: number;
  /** Less than a lease lasts. */
  readonly napMs: number;
  readonly mostMessages: number;
  /** For how many turns things go wrong. */
  readonly turns: readonly [least: number, span: number];
}

const EXTENTS: Record<Detail, Extent> = {
  full: { instant: 0, napMs: 0, mostMessages: 4, turns: [60, 200] },
  quick: { instant: 0.9, napMs: 3_500, mostMessages: 4, turns: [40, 100] },
  brief: { instant: 0.97, napMs: 3_500, mostMessages: 2, turns: [15, 45] },
};

export interface Options {
  readonly parts?: PartsClass;
  readonly detail?: Detail;
  readonly trace?: boolean;
}

/** One schedule: a few messages, and whatever the seed lets happen to them, until everything has come to rest. */
export async function simulate(seed: number, options: Options = {}): Promise<Verdict> {
  const { parts = Parts, detail = 'full', trace = false } = options;
  const extent = EXTENTS[detail];
  const random = new Random(seed);
  const pace = { timerShare: random.pick([0.02, 0.1, 0.3]), stepMs: random.pick([0, 2, 20]) };
  const world = new World(random, { ...pace, instant: extent.instant, napMs: extent.napMs });
  world.isTracing = trace;
  const leave = enter(world, new Random(seed + 1));
  const schedule = new Schedule(world, random, new Random(seed + 2), parts, extent);
  let violation: string | null = null;
  try {
    violation = (await schedule.disturb()) ?? (await schedule.settle());
  } catch (error) {
    violation = error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    leave();
  }
  return { seed, violation, turns: world.turns, trace: world.trace };
}

class Schedule {
  private readonly shared: Shared;
  private readonly invariants: Invariants;
  private readonly customers: Customer[] = [];
  private products: Product[] = [];
  private started = 0;
  /** Processes that are to start before the next step. */
  private starting = 0;
  private readonly turns: number;
  private readonly chaos: number;
  /** Whether some of its messages are scheduled. */
  private readonly isTimed: boolean;

  constructor(
    private readonly world: World,
    private readonly random: Random,
    /** Of what was added later: so that the schedules of old seeds stay what they are. */
    private readonly more: Random,
    private readonly parts: PartsClass,
    { turns: [least, span], mostMessages }: Extent,
  ) {
    const sometimes = (share: number) => (random.chance(0.5) ? share : 0);
    const statements = { before: sometimes(0.02), after: sometimes(0.02), delayed: random.pick([0, 0.3, 0.6]) };
    this.shared = new Shared(world, random, statements, {
      rejected: sometimes(0.1),
      retryable: sometimes(0.2),
      throttled: sometimes(0.1),
      lost: sometimes(0.1),
      silent: sometimes(0.15),
      receiptLost: sometimes(0.1),
      receiptTwice: sometimes(0.3),
      receiptEarly: random.pick([0, 0.3, 1]),
    });
    this.turns = least + random.below(span);
    this.chaos = random.pick([0, 0.01, 0.03]);
    this.isTimed = more.chance(0.2);
    const messages = 1 + random.below(mostMessages);
    for (let number = 1; number <= messages; number++) {
      this.customers.push(new Customer(this.wish(number), world, random, () => this.products));
    }
    if (random.chance(0.15)) this.suspendLater();
    this.invariants = new Invariants(this.shared, this.customers);
  }

  /** Lets things go wrong for a while. */
  async disturb(): Promise<string | null> {
    const hosts = this.random.pick([1, 1, 2]);
    this.starting = hosts;
    for (let turn = 0; turn < this.turns; turn++) {
      if (this.random.chance(this.chaos)) this.strike();
      this.begin();
      await this.world.settled();
      const violation = this.judge();
      if (violation) return violation;
    }
    return null;
  }

  /** Lets everything work again, until nothing is left to do. */
  async settle(): Promise<string | null> {
    const { world, shared } = this;
    Object.assign(shared.statementFaults, { before: 0, after: 0 });
    for (const { faults } of shared.networks.values()) for (const name in faults) Object.assign(faults, { [name]: 0 });
    Object.assign(world.pace, { timerShare: 0.02, stepMs: 2 });
    for (const { host } of this.products) host.isFrozen = false;
    if (!this.products.some(({ host }) => host.isAlive)) this.starting = Math.max(1, this.starting);
    let quiet = 0;
    for (let turn = 0; turn < MOST_TURNS_TO_REST; turn++) {
      if (turn % 3 === 0 && this.invariants.isAtRest) break;
      const before = this.progress;
      this.begin();
      await this.world.settled();
      const violation = this.judge();
      if (violation) return violation;
      quiet = this.progress === before ? quiet + 1 : 0;
      if (quiet < QUIET_TURNS || !world.isIdle) continue;
      world.leap(4_000);
      quiet = 0;
    }
    return this.invariants.checkAtRest();
  }

  private get progress(): number {
    const { messaging, carriers, ledger } = this.shared;
    return messaging.log.events.length + carriers.log.events.length + ledger.entries.size + carriers.intents.size;
  }

  /** Begins what happens next. */
  private begin(): void {
    if (this.starting === 0) {
      this.world.turn();
      return;
    }
    this.starting--;
    this.startProduct();
  }

  /** What does not hold by now; looked at where something has changed. */
  private judge(): string | null {
    if (!this.world.isChanged) return null;
    this.world.isChanged = false;
    return this.invariants.check();
  }

  private startProduct(): void {
    const host = new Host(`p${++this.started}`);
    this.world.note(`${host.name} starts`);
    this.world.as(host, () => {
      const product = new Product(host, new this.parts(this.shared, host));
      this.products.push(product);
      product.start();
    });
  }

  private strike(): void {
    const { world, random } = this;
    const alive = this.products.filter(({ host }) => host.isAlive);
    const product = alive.length > 0 ? random.pick(alive) : null;
    switch (random.below(5)) {
      case 0:
      case 1:
        if (product) this.crash(product.host);
        return;
      case 2:
        if (product && !product.host.isFrozen) this.freeze(product);
        return;
      case 3:
        for (const { sessions } of this.shared.networks.values()) {
          const session = [...sessions][0];
          if (session) world.later(session.host, 'its connection breaks', () => session.breakOff());
        }
        return;
      default:
        if (world.isIdle) world.leap(random.pick([6_000, 30_000]));
        else if (alive.length < 2) this.starting++;
    }
  }

  private crash(host: Host): void {
    this.world.note(`${host.name} is killed`);
    this.world.crash(host);
    this.products = this.products.filter((product) => product.host.isAlive);
    this.world.after(null, this.random.pick([10, 1_000, 7_000]), () => void this.starting++);
  }

  private freeze({ host, db }: Product): void {
    this.world.note(`${host.name} is stopped`);
    host.isFrozen = true;
    db.rollBackIdle();
    this.world.after(null, this.random.pick([500, 7_000, 12_000]), () => {
      this.world.note(`${host.name} goes on`);
      host.isFrozen = false;
    });
  }

  /** Messaging hears that an account is suspended, and perhaps that it is active again. */
  private suspendLater(): void {
    const { world, random, shared } = this;
    const { id: accountId } = random.pick(shared.accounts);
    const hear = (version: number, halted: boolean) => {
      world.note(`${accountId} is ${halted ? 'suspended' : 'active again'}`);
      shared.messaging.statuses.set(accountId, { accountId, version, halted });
    };
    const atMs = random.below(800);
    world.after(null, atMs, () => hear(1, true));
    if (random.chance(0.3)) world.after(null, atMs + random.below(3_000), () => hear(2, false));
  }

  private wish(number: number): Wish {
    const { random } = this;
    return {
      account: random.pick(this.shared.accounts),
      to: `+1555000000${number}`,
      body: random.chance(0.2) ? LONG_TEXT : 'hello',
      key: random.chance(0.5) ? `key-${number}` : null,
      atMs: random.below(400),
      validitySeconds: random.pick([1, 5, 30]),
      sendInMs: this.isTimed && this.more.chance(0.6) ? this.more.below(900) : null,
      cancelMs: random.chance(0.3) ? random.below(600) : null,
    };
  }
}
