import { Injectable } from '@nestjs/common';
import { idFloor } from '../../../shared/sid.js';
import { type HeldLease, LEASE_GUARD } from './binds-lease.repository.js';
import { CarriersDatabase } from './carriers.storage.js';

/** The receipts that match no submission, as rows that grow old. */
@Injectable()
export class OrphansRepository {
  constructor(private readonly db: CarriersDatabase) {}

  /** Removes receipts that came before an instant, the oldest first, at most `limit`; returns how many. */
  async forget(lease: HeldLease, beforeMs: number, limit: number): Promise<number> {
    const { rowCount } = await this.db.control.query(
      `with ${LEASE_GUARD} delete from carriers.orphan_receipt where exists (select from guard)
        and id = any(array(select id from carriers.orphan_receipt where id < $3::uuid order by id limit $4))`,
      [lease.owner, lease.epoch, idFloor(beforeMs), limit],
    );
    return rowCount ?? 0;
  }
}
