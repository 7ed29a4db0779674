import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { newId } from '../../../shared/sid.js';
import type { Route, StoredRoute } from '../domain/route-table.js';
import { CarriersRepository } from '../infrastructure/carriers.repository.js';
import { CarrierChanges, routeEvent } from './carrier-changes.js';

const MAX_ROUTES = 10_000;

/** Adds a route: the longest prefix of a destination counts, then the lowest priority, then the weights. */
@Injectable()
export class AddRoute {
  constructor(
    private readonly changes: CarrierChanges,
    private readonly repository: CarriersRepository,
  ) {}

  /**
   * @throws Failure `not_found` (field `carrier`); `conflict` when the prefix leads to the carrier already (field
   *   `prefix`) or there are too many routes
   */
  async add(route: Route): Promise<StoredRoute> {
    return this.changes.make(async (tx) => {
      const { carrier } = route;
      if (!(await this.repository.lock(tx, carrier))) {
        throw new Failure('not_found', { field: 'carrier', detail: `there is no carrier ${carrier}` });
      }
      if ((await this.repository.count(tx, 'route')) >= MAX_ROUTES) {
        throw new Failure('conflict', { detail: `there are ${MAX_ROUTES} routes, which is the most` });
      }
      const added = await this.repository.insertRoute(tx, { ...route, id: newId() });
      if (!added) throw new Failure('conflict', { field: 'prefix', detail: 'there is such a route already' });
      return { result: added, events: [routeEvent(added, 1)] };
    });
  }
}
