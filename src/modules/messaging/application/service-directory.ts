import { Injectable } from '@nestjs/common';
import type { LocalTail } from '../../../platform/event-log/consumer.js';
import { answerOf, type CoalescingCache, coalescingCache } from '../../../shared/coalescing-cache.js';
import type { EventData, NewEvent } from '../../../shared/define-event.js';
import { parseSid } from '../../../shared/sid.js';
import { serviceChanged } from '../contract/messaging.events.js';
import type { PoolNumber, Service } from '../domain/service.js';
import { ServicesRepository } from '../infrastructure/services.repository.js';

/** A service with its pool, as sending uses it. */
export interface KnownService {
  readonly service: Service;
  /** By their ids. Whether the account still owns a number is for accounts to say. */
  readonly pool: readonly PoolNumber[];
}

const MAX_SERVICES = 10_000;
const MAX_NUMBERS = 100_000;

/**
 * What this process knows of messaging services, so that no message costs a query: a service by its id, and the service
 * of a number. Kept right by messaging's own events, and emptied on any doubt.
 */
@Injectable()
export class ServiceDirectory implements LocalTail {
  readonly id = 'messaging.services';
  readonly source = 'messaging';
  private readonly services: CoalescingCache<KnownService>;
  private readonly numbers: CoalescingCache<string>;

  constructor(repository: ServicesRepository) {
    this.services = coalescingCache<KnownService>(MAX_SERVICES, async (key) => {
      const [accountId, id] = key.split('/') as [string, string];
      const [service, pool] = await Promise.all([repository.find(accountId, id), repository.pool(accountId, id)]);
      return service && { service, pool };
    });
    this.numbers = coalescingCache(MAX_NUMBERS, (key) => {
      const [accountId, phoneNumber] = key.split('/') as [string, string];
      return repository.serviceOf(accountId, phoneNumber);
    });
  }

  /** The account's service with this id and its pool, or null. */
  service(accountId: string, id: string): Promise<KnownService | null> {
    return answerOf(this.services, `${accountId}/${id}`);
  }

  /** The service whose pool holds the account's number (E.164, or a short code), or null. */
  async serviceOfNumber(accountId: string, phoneNumber: string): Promise<KnownService | null> {
    const id = await answerOf(this.numbers, `${accountId}/${phoneNumber}`);
    return id === null ? null : this.service(accountId, id);
  }

  /** Forgets what the events changed; loads under way are not kept either. */
  on(events: readonly Pick<NewEvent, 'type' | 'streamId' | 'data'>[]): void {
    for (const event of events) {
      if (event.type !== serviceChanged.type) continue;
      const { accountSid, change, phoneNumber } = event.data as EventData<typeof serviceChanged>;
      const accountId = parseSid('AC', accountSid)!;
      this.services.delete(`${accountId}/${event.streamId}`);
      if (change === 'deleted') this.numbers.clear();
      else if (phoneNumber !== null) this.numbers.delete(`${accountId}/${phoneNumber}`);
    }
  }

  /** Forgets everything. */
  lost(): void {
    this.services.clear();
    this.numbers.clear();
  }
}
