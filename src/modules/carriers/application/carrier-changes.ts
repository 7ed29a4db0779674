import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { NewEvent } from '../../../shared/define-event.js';
import { carrierChanged, routeChanged } from '../contract/carriers.events.js';
import type { StoredCarrier } from '../domain/carrier.js';
import type { StoredRoute } from '../domain/route-table.js';
import { CarrierDirectory } from '../infrastructure/carrier-directory.js';
import { CarriersDatabase, CarriersLog } from '../infrastructure/carriers.storage.js';

export interface Change<T> {
  readonly result: T;
  /** What has happened; nothing where everything stays as it was. */
  readonly events: readonly NewEvent[];
}

/** How every change of a carrier or a route is made: written together with its events. */
@Injectable()
export class CarrierChanges {
  constructor(
    private readonly db: CarriersDatabase,
    private readonly log: CarriersLog,
    private readonly directory: CarrierDirectory,
  ) {}

  /** Runs `work` in one transaction with the append of its events; whatever it throws undoes everything. */
  async make<T>(work: (tx: Queryable) => Promise<Change<T>>): Promise<T> {
    const { result, events } = await this.db.transaction(async (tx) => {
      const change = await work(tx);
      await this.log.append(tx, change.events);
      return change;
    });
    if (events.length > 0) {
      // This process sees the change at once, the others as they read the log.
      this.directory.lost();
      this.log.wake();
    }
    return result;
  }
}

/** A carrier was added, or changed to this version. */
export function carrierEvent(carrier: StoredCarrier): NewEvent {
  return {
    type: carrierChanged.type,
    streamId: carrier.streamId,
    version: carrier.version,
    tenantId: null,
    data: { carrier: carrier.name },
  };
}

/** A route was added (version 1 of its stream) or removed (version 2). */
export function routeEvent(route: StoredRoute, version: 1 | 2): NewEvent {
  return {
    type: routeChanged.type,
    streamId: route.id,
    version,
    tenantId: null,
    data: { prefix: route.prefix, carrier: route.carrier },
  };
}
