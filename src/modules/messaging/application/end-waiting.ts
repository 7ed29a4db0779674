import { Inject, Injectable } from '@nestjs/common';
import { sidOf } from '../../../shared/sid.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { canceled, halted, optedOut } from '../domain/message.js';
import {
  type Ending,
  EndingsRepository,
  type EndReason,
  type MessageKey,
} from '../infrastructure/endings.repository.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';

const BATCH = 500;
/** Longer than it takes to end a batch: what is left then was left by a crash, or a carrier's database was away. */
const LEFT_MS = 5_000;

const DECIDE = { canceled, halted, opted_out: optedOut } as const;

/**
 * Ends waiting messages: noted, withdrawn from the carriers, ended. Once a message is withdrawn no carrier can be given
 * it, so that one which is ended was never sent; one that a carrier may have is left as it is. Whoever crashes after the
 * first step leaves a note, which is worked off later.
 */
@Injectable()
export class EndWaiting {
  constructor(
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    private readonly endings: EndingsRepository,
    private readonly messages: MessagesRepository,
    private readonly db: MessagingDatabase,
  ) {}

  /** Ends those of at most 1000 messages that wait and that no carrier may have. May be repeated. */
  async end(keys: readonly MessageKey[], reason: EndReason): Promise<void> {
    const endings = keys.map(({ accountId, id }) => ({ accountId, id, reason }));
    await this.endings.note(endings);
    await this.finish(endings);
  }

  /** Finishes what was left half done; one bounded step, returns whether there is more. Safe in several processes. */
  async step(): Promise<boolean> {
    const left = await this.endings.left(LEFT_MS, BATCH);
    if (left.length > 0) await this.finish(left);
    return left.length === BATCH;
  }

  private async finish(endings: readonly Ending[]): Promise<void> {
    const answers = await this.carriers.withdraw(endings.map(({ id }) => sidOf('SM', id)));
    const committed = await this.db.transaction(async (tx) => {
      // Also those that a carrier has: their lock keeps two who finish the same in order.
      const messages = await this.messages.lock(tx, endings);
      const decisions = endings.flatMap(({ id, reason }, index) => {
        const message = answers[index] ? messages.get(id) : undefined;
        return (message && DECIDE[reason](message)) ?? [];
      });
      await this.endings.forget(tx, endings);
      return this.messages.save(
        tx,
        decisions.map((decision) => decision.message),
        decisions.flatMap((decision) => decision.event ?? []),
      );
    });
    committed();
  }
}
