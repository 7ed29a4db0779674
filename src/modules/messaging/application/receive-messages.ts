import { Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import type { EventData, NewEvent, StoredEvent } from '../../../shared/define-event.js';
import { inboundReceived } from '../../carriers/contract/carriers.events.js';
import { type Arrival, type ReceivedMessage, received } from '../domain/inbound.js';
import { optOutKeys } from '../domain/opt-out.js';
import { InboundRepository } from '../infrastructure/inbound.repository.js';
import { MessageCounts } from '../infrastructure/message-counts.js';
import { MessagingLog } from '../infrastructure/messaging.storage.js';
import { OptOutsRepository } from '../infrastructure/opt-outs.repository.js';
import { type Identified, IdentifyArrivals } from './identify-arrivals.js';

/**
 * Makes messages of what carriers bring in, each once. A keyword acts in the same transaction: whoever hears of the message
 * finds its sender opted out. What came to a number that nobody owns is kept as such.
 */
@Injectable()
export class ReceiveMessages implements DurableConsumer<Identified[]> {
  readonly id = 'messaging.inbound';
  readonly source = 'carriers';
  readonly types = [inboundReceived.type];
  readonly batchSize = 200;
  private readonly unassigned;

  constructor(
    private readonly identify: IdentifyArrivals,
    private readonly inbound: InboundRepository,
    private readonly optOuts: OptOutsRepository,
    private readonly log: MessagingLog,
    private readonly counts: MessageCounts,
    metrics: Metrics,
  ) {
    this.unassigned = metrics.counter({
      name: 'trunkline_inbound_unassigned_total',
      help: 'Messages from phones to numbers that nobody owns',
    });
  }

  prepare(events: readonly StoredEvent[]): Promise<Identified[]> {
    return this.identify.identify(events.map(arrivalOf));
  }

  apply(tx: Queryable, _events: readonly StoredEvent[], arrivals: readonly Identified[]): Promise<() => void> {
    return this.receive(tx, arrivals);
  }

  /** Writes arrivals that are new, or that have an owner now; returns what to call after the commit. */
  async receive(tx: Queryable, arrivals: readonly Identified[]): Promise<() => void> {
    const fresh = await this.inbound.note(
      tx,
      arrivals.map(({ arrival, owned }) => ({ ...arrival, accountId: owned?.accountId ?? null })),
    );
    const messages = arrivals.flatMap(({ arrival, owned }) =>
      owned && fresh.has(arrival.id) ? { ...arrival, ...owned } : [],
    );
    await this.inbound.insert(tx, messages);
    const events: NewEvent[] = [];
    for (const message of messages) events.push(received(message, await this.obey(tx, message)));
    const appended = await this.log.append(tx, events);
    return () => {
      this.unassigned.inc(arrivals.filter(({ arrival, owned }) => !owned && fresh.has(arrival.id)).length);
      this.log.committed(appended);
      this.counts.count(events);
    };
  }

  /**
   * Does what a keyword asks for. Returns whether it is to be answered: STOP and START when they change something, so that
   * two machines that answer each other come to an end.
   */
  private async obey(tx: Queryable, message: ReceivedMessage): Promise<boolean> {
    const { accountId, from, alsoFrom, to, serviceId, optOutType, hasReply } = message;
    if (optOutType === null) return false;
    if (optOutType === 'HELP') return hasReply;
    const recipients = alsoFrom === null ? [from] : [from, alsoFrom];
    let changed = 0;
    for (const recipient of recipients) {
      const keys = optOutKeys(accountId, recipient, to, serviceId);
      const senders = keys.map((key) => key.sender);
      changed +=
        optOutType === 'STOP'
          ? await this.optOuts.add(tx, keys, 'keyword')
          : await this.optOuts.remove(tx, accountId, recipient, senders);
    }
    return changed > 0 && hasReply;
  }
}

function arrivalOf(event: StoredEvent): Arrival {
  const { inboundId, carrier, from, to, segments, receivedAt } = event.data as EventData<typeof inboundReceived>;
  return { id: inboundId, carrier, from, to, segments, receivedAt: new Date(receivedAt) };
}
