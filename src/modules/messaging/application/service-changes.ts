import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { EventData, NewEvent } from '../../../shared/define-event.js';
import { Failure } from '../../../shared/failure.js';
import { sidOf } from '../../../shared/sid.js';
import { serviceChanged } from '../contract/messaging.events.js';
import type { Service } from '../domain/service.js';
import { MessagingDatabase, MessagingLog } from '../infrastructure/messaging.storage.js';
import { ServicesRepository } from '../infrastructure/services.repository.js';
import { ServiceDirectory } from './service-directory.js';

type Change = EventData<typeof serviceChanged>['change'];

export interface ServiceDecision {
  readonly service: Service;
  readonly change: Change;
  readonly phoneNumber?: string;
}

/** How every change of a messaging service is made: decided under its lock, written together with its event. */
@Injectable()
export class ServiceChanges {
  constructor(
    private readonly db: MessagingDatabase,
    private readonly log: MessagingLog,
    private readonly repository: ServicesRepository,
    private readonly directory: ServiceDirectory,
  ) {}

  /**
   * Locks a service and lets `decide` say what becomes of it; `decide` may write rows of its pool in the same
   * transaction. Null from it: nothing changes.
   *
   * @throws Failure not_found; whatever `decide` throws, which undoes everything
   */
  async change(
    accountId: string,
    id: string,
    decide: (service: Service, tx: Queryable) => Promise<ServiceDecision | null>,
  ): Promise<Service> {
    return this.write(async (tx) => {
      const current = await this.repository.lock(tx, accountId, id);
      if (!current) throw new Failure('not_found');
      const decision = await decide(current, tx);
      if (!decision) return { service: current, event: null };
      const next = { ...decision.service, version: current.version + 1 };
      const event = eventOf(next, decision.change, decision.phoneNumber ?? null);
      if (decision.change !== 'deleted') return { service: await this.repository.save(tx, next), event };
      await this.repository.remove(tx, accountId, id);
      return { service: next, event };
    });
  }

  /** Writes a new service; one that is there already stays as it is. */
  async create(service: Service): Promise<Service> {
    return this.write(async (tx) => {
      const written = await this.repository.insert(tx, service);
      if (written) return { service: written, event: eventOf(written, 'created', null) };
      const there = await this.repository.lock(tx, service.accountId, service.id);
      if (!there) throw new Failure('conflict');
      return { service: there, event: null };
    });
  }

  /** After the commit this process sees the change at once; others as they read the log. */
  private async write(
    work: (tx: Queryable) => Promise<{ service: Service; event: NewEvent | null }>,
  ): Promise<Service> {
    const { service, events, appended } = await this.db.transaction(async (tx) => {
      const { service, event } = await work(tx);
      const events = event ? [event] : [];
      return { service, events, appended: await this.log.append(tx, events) };
    });
    this.directory.on(events);
    this.log.committed(appended);
    return service;
  }
}

function eventOf(service: Service, change: Change, phoneNumber: string | null): NewEvent {
  const data: EventData<typeof serviceChanged> = {
    accountSid: sidOf('AC', service.accountId),
    serviceSid: sidOf('MG', service.id),
    change,
    phoneNumber,
  };
  return {
    type: serviceChanged.type,
    streamId: service.id,
    version: service.version,
    tenantId: service.accountId,
    data,
  };
}
