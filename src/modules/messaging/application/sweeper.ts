import { Inject, Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { Logger } from '../../../platform/tokens.js';
import { IdempotencyRepository } from '../infrastructure/idempotency.repository.js';
import { ExpireMessages } from './expire-messages.js';
import { SweepReservations } from './sweep-reservations.js';

const EVERY_MS = 1_000;
const FORGET_KEYS_BATCH = 1000;

/** Runs messaging's sweeps, each a bounded step at a time, in a process whose role it is to work. */
@Injectable()
export class Sweeper {
  private readonly wakeup = new Wakeup();
  private stopping = false;
  private running: Promise<void> | null = null;

  constructor(
    private readonly expire: ExpireMessages,
    private readonly reservations: SweepReservations,
    private readonly keys: IdempotencyRepository,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  start(): void {
    this.running = this.loop();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      const steps: [string, () => Promise<number>][] = [
        ['expire', () => this.expire.step()],
        ['reservations', () => this.reservations.step()],
        ['idempotency keys', () => this.keys.forgetExpired(FORGET_KEYS_BATCH)],
      ];
      let done = 0;
      for (const [name, step] of steps) {
        try {
          done += await step();
        } catch (error) {
          this.logger.warn({ sweep: name, err: error }, 'a sweep is put off');
        }
      }
      if (done < FORGET_KEYS_BATCH) await this.wakeup.wait(EVERY_MS);
    }
  }
}
