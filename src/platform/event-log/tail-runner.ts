import type { StoredEvent } from '../../shared/define-event.js';
import type { LocalTail } from './consumer.js';
import type { RunnerLog } from './effect.js';
import { MAX_PAGE } from './event-log.js';
import type { ReadableLog } from './readable-log.js';
import { Wakeup } from './wakeup.js';

/** A gap of this many events, or this long without a look, is a doubt: the tails start over with empty caches. */
const MAX_BEHIND = 20_000;
const MAX_BLIND_MS = 5_000;

/** Carries one log, from now on, to the local tails of this process. */
export class TailRunner {
  private readonly wakeup = new Wakeup();
  private position = 0;
  private lookedAt = 0;
  private stopping = false;
  private running: Promise<void> | null = null;

  constructor(
    private readonly log: ReadableLog,
    private readonly tails: readonly LocalTail[],
    private readonly pollMs: number,
    private readonly logger: RunnerLog,
  ) {}

  async start(): Promise<void> {
    if (this.tails.length === 0) return;
    await this.startOver();
    const off = this.log.onWake(() => this.wakeup.wake());
    this.running = this.loop().finally(off);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
  }

  private async loop(): Promise<void> {
    let isInDoubt = false;
    while (!this.stopping) {
      try {
        if (isInDoubt) await this.startOver();
        isInDoubt = false;
        if (!(await this.step())) await this.wakeup.wait(this.pollMs);
      } catch (error) {
        isInDoubt = true;
        this.logger.warn({ log: this.log.module, err: error }, 'a log could not be read: local caches are emptied');
        this.loseAll();
        await this.wakeup.pause(this.pollMs, () => this.stopping);
      }
    }
  }

  /** From the newest event on, and first of all with empty caches: what they held may be older. */
  private async startOver(): Promise<void> {
    this.position = await this.log.head();
    this.lookedAt = Date.now();
    this.loseAll();
  }

  private async step(): Promise<boolean> {
    const page = await this.log.read(this.position, MAX_PAGE);
    // By the wall clock, which goes on while the machine sleeps. Partitions may have been dropped in the meantime.
    const isBlind = Date.now() - this.lookedAt > MAX_BLIND_MS;
    this.lookedAt = Date.now();
    if (isBlind || (await this.isFarBehind(page.length))) {
      await this.startOver();
      return true;
    }
    if (page.length === 0) return false;
    for (const tail of this.tails) void this.deliver(tail, page);
    this.position = page[page.length - 1]!.position;
    return this.log.mayHaveMore(this.position);
  }

  private async isFarBehind(pageLength: number): Promise<boolean> {
    return pageLength === MAX_PAGE && (await this.log.head()) - this.position > MAX_BEHIND;
  }

  /** A tail that throws has a cache that nobody can vouch for; the others go on. */
  private async deliver(tail: LocalTail, page: readonly StoredEvent[]): Promise<void> {
    try {
      // Nothing is waited for; a promise that slipped in is heard of when it rejects.
      await tail.on(page);
    } catch (error) {
      this.logger.error({ tail: tail.id, err: error }, 'a local tail failed: its cache is emptied');
      await this.lose(tail);
    }
  }

  private async lose(tail: LocalTail): Promise<void> {
    try {
      await tail.lost();
    } catch (error) {
      this.logger.error({ tail: tail.id, err: error }, 'a local tail could not empty its cache');
    }
  }

  private loseAll(): void {
    for (const tail of this.tails) void this.lose(tail);
  }
}
