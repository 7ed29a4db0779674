import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import type { Arrival } from '../domain/inbound.js';
import { InboundRepository } from '../infrastructure/inbound.repository.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';
import { IdentifyArrivals } from './identify-arrivals.js';
import { ReceiveMessages } from './receive-messages.js';

/** What came to numbers that nobody owned: to be looked at, and to be received once somebody owns them. */
@Injectable()
export class AssignArrival {
  constructor(
    private readonly inbound: InboundRepository,
    private readonly identify: IdentifyArrivals,
    private readonly receiving: ReceiveMessages,
    private readonly db: MessagingDatabase,
  ) {}

  /** At most `limit`, the newest first, from behind one. */
  list(after: string | null, limit: number): Promise<Arrival[]> {
    return this.inbound.unassigned(after, limit);
  }

  /** Looks again whose one is. @throws Failure not_found; conflict where still nobody owns the number, or its text is gone */
  async retry(id: string): Promise<{ accountId: string }> {
    const arrival = await this.inbound.findUnassigned(id);
    if (!arrival) throw new Failure('not_found');
    const [identified] = await this.identify.identify([arrival]);
    const owned = identified?.owned;
    if (!owned) throw new Failure('conflict', { detail: 'nobody owns the number, or the text is kept no longer' });
    const committed = await this.db.transaction((tx) => this.receiving.receive(tx, [identified]));
    committed();
    return { accountId: owned.accountId };
  }
}
