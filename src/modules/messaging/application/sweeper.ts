import { Inject, Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { Logger } from '../../../platform/tokens.js';
import { IdempotencyRepository } from '../infrastructure/idempotency.repository.js';
import { EndHaltedMessages } from './end-halted-messages.js';
import { EndWaiting } from './end-waiting.js';
import { ExpireMessages } from './expire-messages.js';
import { ReleaseDue } from './release-due.js';
import { SweepReservations } from './sweep-reservations.js';

const EVERY_MS = 1_000;
const FORGET_KEYS_BATCH = 1000;

type Step = [name: string, step: () => Promise<boolean>];

/** Runs messaging's sweeps, each a bounded step at a time, in a process whose role it is to work. */
@Injectable()
export class Sweeper {
  private readonly wakeups: Wakeup[] = [];
  private stopping = false;
  private running: Promise<unknown> | null = null;

  constructor(
    private readonly expire: ExpireMessages,
    private readonly halted: EndHaltedMessages,
    private readonly endWaiting: EndWaiting,
    private readonly reservations: SweepReservations,
    private readonly keys: IdempotencyRepository,
    private readonly due: ReleaseDue,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  start({ isAlone = false } = {}): void {
    if (isAlone) this.reservations.succeed();
    const sweeps: Step[] = [
      ['expire', () => this.expire.step()],
      ['halted accounts', () => this.halted.step()],
      ['endings', () => this.endWaiting.step()],
      ['reservations', () => this.reservations.step()],
      ['idempotency keys', async () => (await this.keys.forgetExpired(FORGET_KEYS_BATCH)) === FORGET_KEYS_BATCH],
    ];
    // What is scheduled does not wait for the others.
    const timers: Step[] = [['scheduled messages', () => this.due.step()]];
    this.running = Promise.all([sweeps, timers].map((steps) => this.loop(steps)));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    for (const wakeup of this.wakeups) wakeup.wake();
    await this.running;
  }

  private async loop(steps: readonly Step[]): Promise<void> {
    const wakeup = new Wakeup();
    this.wakeups.push(wakeup);
    while (!this.stopping) {
      if (!(await this.round(steps))) await wakeup.wait(EVERY_MS);
    }
  }

  /** One of each, whatever becomes of the others; whether any has more to do. */
  private async round(steps: readonly Step[]): Promise<boolean> {
    let isMore = false;
    for (const [name, step] of steps) {
      try {
        isMore = (await step()) || isMore;
      } catch (error) {
        this.logger.warn({ sweep: name, err: error }, 'a sweep is put off');
      }
    }
    return isMore;
  }
}
