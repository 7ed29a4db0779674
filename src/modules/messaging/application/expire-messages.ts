import { Inject, Injectable } from '@nestjs/common';
import { sidOf } from '../../../shared/sid.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { expired, type Message, WAITING } from '../domain/message.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';
import { SweepRepository } from '../infrastructure/sweep.repository.js';

const BATCH = 500;
/** A receipt that came in time may still be on its way through the log. */
const GRACE_MS = 5_000;

/** Makes final what its validity left behind: never sent is failed (30036), sent without a receipt undelivered (30008). */
@Injectable()
export class ExpireMessages {
  /** The last message that was looked at, where more were overdue. */
  private after: Message | null = null;

  constructor(
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    private readonly sweeps: SweepRepository,
    private readonly messages: MessagesRepository,
    private readonly db: MessagingDatabase,
  ) {}

  /** One bounded step; returns whether there is more to look at. Safe in several processes at once. */
  async step(): Promise<boolean> {
    const overdue = await this.sweeps.overdue(GRACE_MS, BATCH, this.after);
    // What a carrier still has stays overdue for a while: the next step looks behind it.
    this.after = overdue.length === BATCH ? overdue[BATCH - 1]! : null;
    const free = await this.withdrawn(overdue);
    if (free.length > 0) await this.end(free);
    return this.after !== null;
  }

  private async end(messages: readonly Message[]): Promise<void> {
    const committed = await this.db.transaction(async (tx) => {
      const locked = await this.messages.lock(tx, messages);
      const decisions = [...locked.values()].flatMap((message) => expired(message) ?? []);
      return this.messages.save(
        tx,
        decisions.map((decision) => decision.message),
        decisions.flatMap((decision) => decision.event ?? []),
      );
    });
    committed();
  }

  /** Withdraws what waits, and leaves out what a carrier has under way or has answered: its outcome is coming. */
  private async withdrawn(messages: readonly Message[]): Promise<Message[]> {
    const waiting = messages.filter((message) => WAITING.includes(message.status));
    if (waiting.length === 0) return [...messages];
    const answers = await this.carriers.withdraw(waiting.map((message) => sidOf('SM', message.id)));
    const busy = new Set(waiting.filter((_, index) => !answers[index]).map((message) => message.id));
    return messages.filter((message) => !busy.has(message.id));
  }
}
