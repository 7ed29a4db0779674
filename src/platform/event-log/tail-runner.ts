import type { LocalTail } from './consumer.js';
import type { RunnerLog } from './consumer-runner.js';
import { type EventLog, MAX_PAGE } from './event-log.js';
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
    private readonly log: EventLog,
    private readonly tails: readonly LocalTail[],
    private readonly pollMs: number,
    private readonly logger: RunnerLog,
  ) {}

  async start(): Promise<void> {
    if (this.tails.length === 0) return;
    this.position = await this.log.head();
    this.lookedAt = Date.now();
    for (const tail of this.tails) tail.lost();
    const off = this.log.onWake(() => this.wakeup.wake());
    this.running = this.loop().finally(off);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        if (!(await this.step())) await this.wakeup.wait(this.pollMs);
      } catch (error) {
        this.logger.warn({ log: this.log.module, err: error }, 'a log could not be read: local caches are emptied');
        for (const tail of this.tails) tail.lost();
        await this.wakeup.pause(this.pollMs, () => this.stopping);
      }
    }
  }

  private async step(): Promise<boolean> {
    const page = await this.log.read(this.position, MAX_PAGE);
    const blind = Date.now() - this.lookedAt > MAX_BLIND_MS;
    this.lookedAt = Date.now();
    if (blind) for (const tail of this.tails) tail.lost();
    if (page.length === 0) return false;
    if (page.length === MAX_PAGE && (await this.log.head()) - this.position > MAX_BEHIND) {
      this.position = await this.log.head();
      for (const tail of this.tails) tail.lost();
      return true;
    }
    for (const tail of this.tails) tail.on(page);
    this.position = page[page.length - 1]!.position;
    return true;
  }
}
