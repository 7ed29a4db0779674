import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { type Limit, type Limiter, type Taken, takenOf } from './limiter.js';
import type { SlidingWindows } from './sliding-windows.js';
import { TAKE_PLACES } from './take-places.js';

const PREFIX = 'trunkline:limit:';
/** Between one call and the next, requests gather: some hundred calls a second, however many requests there are. */
const GATHER_MS = 4;
/** The most keys in one call: Redis does nothing else meanwhile. */
const MAX_KEYS = 200;
/** How long a request waits for Redis where nothing else is said. */
const PATIENCE_MS = 50;
/** How soon Redis is asked again whether it is there; later each time while it comes and goes. */
const PROBE_MS = 250;
const PROBE_MAX_MS = 5_000;
const STEADY_MS = 10_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_MAX_MS = 1_000;
const SCRIPT_HASH = createHash('sha1').update(TAKE_PLACES).digest('hex');

export interface LimitsLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

interface Waiting {
  readonly count: number;
  readonly resolve: (taken: Taken) => void;
}

interface Asked {
  readonly limits: readonly Limit[];
  readonly waiting: Waiting[];
}

/**
 * Sliding windows that all processes share through Redis, by the clock of Redis. Requests that come close together go
 * there in one call. Where Redis does not answer within some milliseconds, this process counts by itself at once, and
 * goes back when it answers again; meanwhile each process grants the whole limit. What Redis grants is counted here
 * too, so that this process's own share is known when that happens.
 */
export class SharedWindows implements Limiter {
  private readonly client: Redis;
  private asked = new Map<string, Asked>();
  private timer: NodeJS.Timeout | null = null;
  private probe: NodeJS.Timeout | null = null;
  private leftAtMs = Number.NEGATIVE_INFINITY;
  private scheduled = false;
  private shared = false;
  private sharedSinceMs = Number.NEGATIVE_INFINITY;
  private probeMs = PROBE_MS;
  private lost = 0;
  private calls = 0;

  constructor(
    url: string,
    private readonly local: SlidingWindows,
    private readonly log: LimitsLog,
    /** How long a request waits for Redis. */
    private readonly patienceMs = PATIENCE_MS,
  ) {
    this.client = new Redis(url, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(RECONNECT_MAX_MS, 50 * 2 ** Math.min(times, 10)),
    });
    // What breaks shows in the calls; without a listener it would be an error of the process.
    this.client.on('error', () => undefined);
    this.client.on('ready', () => void this.look());
    this.client.on('close', () => this.lose('the connection is closed'));
  }

  /** Whether Redis counts, how often it was lost, and how many calls were made to it. */
  get figures(): { shared: boolean; lost: number; calls: number } {
    return { shared: this.shared, lost: this.lost, calls: this.calls };
  }

  take(key: string, limits: readonly Limit[], count: number): Taken | Promise<Taken> {
    if (!this.shared) return this.local.take(key, limits, count);
    return new Promise((resolve) => {
      const asked = this.asked.get(key);
      if (asked) asked.waiting.push({ count, resolve });
      else this.asked.set(key, { limits, waiting: [{ count, resolve }] });
      this.schedule();
    });
  }

  close(): void {
    this.shared = false;
    if (this.probe) clearTimeout(this.probe);
    this.answerHere(this.asked);
    this.client.disconnect();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const waitMs = this.leftAtMs + GATHER_MS - performance.now();
    if (waitMs <= 0) setImmediate(() => this.leave());
    else this.timer = setTimeout(() => this.leave(), waitMs);
  }

  private leave(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.scheduled = false;
    const all = [...this.asked];
    this.asked = new Map();
    if (all.length === 0) return;
    this.leftAtMs = performance.now();
    for (let from = 0; from < all.length; from += MAX_KEYS) void this.ask(new Map(all.slice(from, from + MAX_KEYS)));
  }

  /** One call, answered by Redis or, where it says nothing in time, by this process. */
  private async ask(asked: Map<string, Asked>): Promise<void> {
    if (!this.shared) return this.answerHere(asked);
    try {
      const answers = await inTime(this.call(asked), this.patienceMs);
      let index = 0;
      for (const [key, one] of asked) this.answer(key, one, answers[index++]!);
    } catch (error) {
      this.lose((error as Error).message);
      this.answerHere(asked);
    }
  }

  private async call(asked: Map<string, Asked>): Promise<number[][]> {
    this.calls++;
    const keys = [...asked.keys()].map((key) => PREFIX + key);
    const asks = [...asked.values()].map(({ limits, waiting }) =>
      JSON.stringify([
        waiting.reduce((sum, { count }) => sum + count, 0),
        ...limits.map(({ windowMs, buckets, max }) => [windowMs / buckets, buckets, max]),
      ]),
    );
    try {
      return (await this.client.evalsha(SCRIPT_HASH, keys.length, ...keys, ...asks)) as number[][];
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return (await this.client.eval(TAKE_PLACES, keys.length, ...keys, ...asks)) as number[][];
    }
  }

  /** Gives what was granted to whoever came first. */
  private answer(key: string, { limits, waiting }: Asked, [granted = 0, ...figures]: number[]): void {
    if (granted > 0) this.local.note(key, limits, granted);
    let left = granted;
    for (const { count, resolve } of waiting) {
      const isGranted = count <= left;
      if (isGranted) left -= count;
      const states = limits.map((limit, index) => ({
        limit,
        remaining: figures[2 * index]! + left,
        resetMs: figures[2 * index + 1]!,
      }));
      resolve(takenOf(isGranted, count, states));
    }
  }

  private answerHere(asked: ReadonlyMap<string, Asked>): void {
    for (const [key, { limits, waiting }] of asked) {
      for (const { count, resolve } of waiting) resolve(this.local.take(key, limits, count));
    }
    if (asked === this.asked) this.asked = new Map();
  }

  private lose(reason: string): void {
    if (!this.shared) return;
    this.shared = false;
    this.lost++;
    const wasSteady = performance.now() - this.sharedSinceMs > STEADY_MS;
    this.probeMs = wasSteady ? PROBE_MS : Math.min(PROBE_MAX_MS, 2 * this.probeMs);
    this.log.warn({ reason }, 'each process counts the limits by itself: Redis does not answer');
    this.answerHere(this.asked);
    this.lookLater();
  }

  private lookLater(): void {
    if (this.probe) clearTimeout(this.probe);
    this.probe = setTimeout(() => void this.look(), this.probeMs).unref();
  }

  private async look(): Promise<void> {
    if (this.shared || this.client.status !== 'ready') return;
    try {
      await inTime(this.client.ping(), this.patienceMs);
      if (this.shared) return;
      this.shared = true;
      this.sharedSinceMs = performance.now();
      this.log.info({}, 'the limits are counted in Redis, for all processes');
    } catch {
      this.lookLater();
    }
  }
}

/**
 * The answer, or an error when it takes too long. When this process was busy itself, the answer may have arrived and
 * not been read: the time is up only after that was looked for.
 */
async function inTime<T>(answer: Promise<T>, patienceMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`no answer within ${patienceMs} ms`));
    timer = setTimeout(() => setImmediate(giveUp), patienceMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => undefined);
  }
}
