import { Injectable } from '@nestjs/common';
import type { Message } from '../domain/message.js';
import { AccountStatusesRepository } from '../infrastructure/account-statuses.repository.js';
import { EndWaiting } from './end-waiting.js';

const BATCH = 500;

/**
 * Ends what waits of accounts that are suspended or closed (30002). It looks again and again: a carrier may give
 * something back, and a message may be accepted in the moment of the suspension.
 */
@Injectable()
export class EndHaltedMessages {
  /** The last message of this round. */
  private after: Message | null = null;

  constructor(
    private readonly statuses: AccountStatusesRepository,
    private readonly endWaiting: EndWaiting,
  ) {}

  /** One bounded step; returns whether there is more to look at. Safe in several processes at once. */
  async step(): Promise<boolean> {
    const waiting = await this.statuses.waitingOfHalted(BATCH, this.after);
    // What carriers have still waits in the table: the next step looks behind it.
    this.after = waiting.at(-1) ?? null;
    if (waiting.length > 0) await this.endWaiting.end(waiting, 'halted');
    return this.after !== null;
  }
}
