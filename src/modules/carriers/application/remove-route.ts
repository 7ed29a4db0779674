import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { CarriersRepository } from '../infrastructure/carriers.repository.js';
import { CarrierChanges, routeEvent } from './carrier-changes.js';

/** Removes a route. What waits for its carrier is sent by the routes that are left, or waits for one. */
@Injectable()
export class RemoveRoute {
  constructor(
    private readonly changes: CarrierChanges,
    private readonly repository: CarriersRepository,
  ) {}

  /** @throws Failure `not_found` */
  async remove(id: string): Promise<void> {
    await this.changes.make(async (tx) => {
      const removed = await this.repository.deleteRoute(tx, id);
      if (!removed) throw new Failure('not_found', { detail: 'there is no such route' });
      return { result: undefined, events: [routeEvent(removed, 2)] };
    });
  }
}
