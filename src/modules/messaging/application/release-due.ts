import { Inject, Injectable } from '@nestjs/common';
import { FAILURES, isFailure } from '../../../shared/failure.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { ACCOUNT_SUSPENDED, type Departure, departed } from '../domain/message.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';
import { type DueMessage, ScheduledRepository } from '../infrastructure/scheduled.repository.js';
import { ChooseSender } from './choose-sender.js';

const BATCH = 500;

/**
 * Lets scheduled messages go when their time has come. The row itself is the timer: whatever crashes, it is due until
 * somebody has let it go. What was true when it was scheduled is looked at again: the account, the service, the sender,
 * the route; what no longer holds fails the message with the code that a create would be refused with.
 */
@Injectable()
export class ReleaseDue {
  constructor(
    private readonly scheduled: ScheduledRepository,
    private readonly messages: MessagesRepository,
    private readonly senders: ChooseSender,
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    private readonly db: MessagingDatabase,
  ) {}

  /** One bounded step; returns whether there may be more. Safe in several processes at once. */
  async step(): Promise<boolean> {
    const due = await this.scheduled.due(BATCH);
    if (due.length === 0) return false;
    const departures = new Map<string, Departure>();
    await Promise.all(due.map(async (one) => departures.set(one.message.id, await this.departure(one))));
    const committed = await this.db.transaction(async (tx) => {
      // Somebody may have taken it back meanwhile, or let it go.
      const locked = await this.messages.lock(
        tx,
        due.map(({ message }) => message),
      );
      const decisions = [...locked.values()].flatMap((message) => departed(message, departures.get(message.id)!) ?? []);
      return this.scheduled.save(
        tx,
        decisions.map((decision) => decision.message),
        decisions.flatMap((decision) => decision.event ?? []),
      );
    });
    committed();
    return true;
  }

  private async departure({ message, isFromAsked, isHalted }: DueMessage): Promise<Departure> {
    if (isHalted) return { errorCode: ACCOUNT_SUSPENDED };
    try {
      const from = await this.senders.again(message, isFromAsked);
      const route = await this.carriers.route({ to: message.to });
      return route ? { from, queue: route.queue } : { errorCode: FAILURES.no_route.code };
    } catch (error) {
      if (!isFailure(error) || error.failure === 'unavailable') throw error;
      return { errorCode: error.code };
    }
  }
}
