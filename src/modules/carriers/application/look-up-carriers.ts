import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import type { ShownInbound } from '../domain/inbound.js';
import type { ShownCarrier } from '../domain/link-status.js';
import type { OrphanReceipt } from '../domain/submission.js';
import { CarriersQueries } from '../infrastructure/carriers.queries.js';

import { BindsOwner } from './binds-owner.js';

/** Looks up carriers with how they fare: at this moment where this process owns the binds, else as last written. */
@Injectable()
export class LookUpCarriers {
  constructor(
    private readonly queries: CarriersQueries,
    private readonly owner: BindsOwner,
  ) {}

  /** @throws Failure `not_found` */
  async find(name: string): Promise<ShownCarrier> {
    const carrier = await this.queries.carrier(name);
    if (!carrier) throw new Failure('not_found', { detail: `there is no carrier ${name}` });
    return this.upToDate(carrier);
  }

  /** @param after name of the last carrier of the page before; null for the first page */
  async list(after: string | null, limit: number): Promise<ShownCarrier[]> {
    return (await this.queries.carriers(after, limit)).map((carrier) => this.upToDate(carrier));
  }

  /**
   * Receipts of a carrier that match no submission, newest first.
   *
   * @param after id of the last receipt of the page before; null for the first page
   * @throws Failure `not_found`
   */
  async orphanReceipts(name: string, after: string | null, limit: number): Promise<OrphanReceipt[]> {
    await this.find(name);
    return this.queries.orphans(name, after, limit);
  }

  /**
   * Messages that a carrier brought in, newest first.
   *
   * @param after id of the last message of the page before; null for the first page
   * @throws Failure `not_found`
   */
  async inbound(name: string, after: string | null, limit: number): Promise<ShownInbound[]> {
    await this.find(name);
    return this.queries.inbound(name, after, limit);
  }

  private upToDate(carrier: ShownCarrier): ShownCarrier {
    const status = this.owner.current?.status().get(carrier.name);
    return status ? { ...carrier, status, statusAt: new Date(), isStatusCurrent: true } : carrier;
  }
}
