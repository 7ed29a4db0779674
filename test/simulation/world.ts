import type { Random } from './random.js';

/** A process of the product: what stands in its memory is gone when it ends. */
export class Host {
  isAlive = true;
  isFrozen = false;
  /** What the outside does when it ends: connections break, transactions are rolled back. */
  readonly onGone: (() => void)[] = [];

  constructor(readonly name: string) {}

  get isRunning(): boolean {
    return this.isAlive && !this.isFrozen;
  }
}

/** Something outside of the processes that happens at a moment of the scheduler's choice. */
export interface Step {
  readonly label: string;
  /** Whose code goes on with it, and who must be running for it; null: nobody's. */
  readonly host: Host | null;
  /** Must have happened by then. */
  readonly deadlineMs: number;
  readonly isReady: () => boolean;
  readonly run: () => void;
  /** Instead of `run` where it was not ready by its deadline. */
  readonly expire: () => void;
}

export interface Timer {
  readonly host: Host | null;
  dueMs: number;
  readonly everyMs: number | null;
  readonly run: () => void;
}

export interface Pace {
  /** How often a timer goes before what is ready: with many, statements are slow. */
  timerShare: number;
  /** At most how long one step takes. */
  stepMs: number;
  /** How often a statement that would find nothing is answered at once, without a turn of its own. */
  instant: number;
  /** How long a loop that has nothing to do sleeps at least. */
  napMs: number;
}

const always = () => true;
const nothing = () => undefined;
const nextTick = (resolve: () => void) => process.nextTick(resolve);

/** Everything around the processes: the clock, what is under way, and the seeded choice of what happens next. */
export class World {
  nowMs = 1_000;
  current: Host | null = null;
  readonly trace: string[] = [];
  isTracing = false;
  turns = 0;
  /** Something outside of the processes is otherwise than before. */
  isChanged = false;
  private steps: Step[] = [];
  private readonly timers = new Set<Timer>();

  constructor(
    readonly random: Random,
    readonly pace: Pace,
  ) {}

  /** A step that is ready at any time, within `withinMs`. */
  later(
    host: Host | null,
    label: string,
    run: () => void,
    options: { withinMs?: number; isReady?: () => boolean; expire?: () => void } = {},
  ): Step {
    const { withinMs = 20_000, isReady = always, expire = nothing } = options;
    const step = { label, host, run, isReady, expire, deadlineMs: this.nowMs + withinMs };
    this.steps.push(step);
    return step;
  }

  /** Something that happens after a time, at the earliest. */
  after(host: Host | null, ms: number, run: () => void, everyMs: number | null = null): Timer {
    const timer = { host, dueMs: this.nowMs + Math.max(0, ms), run, everyMs };
    this.timers.add(timer);
    return timer;
  }

  cancel(timer: Timer | undefined | null): void {
    if (timer) this.timers.delete(timer);
  }

  drop(step: Step): void {
    const index = this.steps.indexOf(step);
    if (index >= 0) this.steps.splice(index, 1);
  }

  get isIdle(): boolean {
    return this.steps.length === 0;
  }

  note(line: string): void {
    if (this.isTracing) this.trace.push(`${String(Math.round(this.nowMs - 1_000)).padStart(7)} ms  ${line}`);
  }

  /** Begins code as a process; what follows from it at once has happened when `settled` resolves. */
  as(host: Host | null, run: () => void): void {
    this.current = host;
    run();
  }

  /** Node runs the next tick when no promise has anything left to do. */
  settled(): Promise<void> {
    return new Promise<void>(nextTick);
  }

  /** Ends a process: its timers and what would go on in it vanish. */
  crash(host: Host): void {
    host.isAlive = false;
    for (const gone of host.onGone) gone();
    this.steps = this.steps.filter((step) => step.host !== host);
    for (const timer of this.timers) if (timer.host === host) this.timers.delete(timer);
  }

  /** The clock goes on while everything stands still; only where no step is under way. */
  leap(ms: number): void {
    this.note(`everything stands still for ${ms} ms`);
    this.nowMs += ms;
  }

  /** Begins one step or timer, if there is one. */
  turn(): void {
    this.turns++;
    const timer = this.nextTimer();
    const step = this.nextStep(timer);
    if (step) {
      this.drop(step);
      this.nowMs += this.random.below(this.pace.stepMs + 1);
      if (this.isTracing) this.note(`${step.host ? `${step.host.name}: ` : ''}${step.label}`);
      this.as(step.host, step.isReady() ? step.run : step.expire);
      return;
    }
    if (!timer) return;
    this.nowMs = Math.max(this.nowMs, timer.dueMs);
    if (timer.everyMs === null) this.timers.delete(timer);
    else timer.dueMs = this.nowMs + timer.everyMs;
    this.as(timer.host, timer.run);
  }

  private nextStep(timer: Timer | null): Step | null {
    let urgent: Step | null = null;
    const ready: Step[] = [];
    for (const step of this.steps) {
      if (step.host && !step.host.isRunning) continue;
      if (!urgent || step.deadlineMs < urgent.deadlineMs) urgent = step;
      if (step.isReady()) ready.push(step);
    }
    if (urgent && urgent.deadlineMs <= (ready.length === 0 && timer ? timer.dueMs : this.nowMs)) return urgent;
    if (ready.length === 0) return null;
    if (!timer) return this.random.pick(ready);
    if (timer.dueMs > urgent!.deadlineMs || !this.random.chance(this.pace.timerShare)) return this.random.pick(ready);
    return null;
  }

  private nextTimer(): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.timers) {
      if (timer.host && !timer.host.isRunning) continue;
      if (!next || timer.dueMs < next.dueMs) next = timer;
    }
    return next;
  }
}
