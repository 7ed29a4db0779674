import { Injectable } from '@nestjs/common';
import type { StoredRoute } from '../domain/route-table.js';
import { CarriersQueries } from '../infrastructure/carriers.queries.js';

/** Lists all routes, newest first. */
@Injectable()
export class ListRoutes {
  constructor(private readonly queries: CarriersQueries) {}

  /** @param after id of the last route of the page before; null for the first page */
  async list(after: string | null, limit: number): Promise<StoredRoute[]> {
    return this.queries.routes(after, limit);
  }
}
