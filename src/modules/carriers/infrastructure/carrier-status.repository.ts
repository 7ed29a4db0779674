import { Injectable } from '@nestjs/common';
import { type HeldLease, LEASE_GUARD } from './binds-lease.repository.js';
import { CarriersDatabase } from './carriers.storage.js';

/** How each carrier fares, written by the owner of the binds for the processes that do not own them. */
@Injectable()
export class CarrierStatusRepository {
  constructor(private readonly db: CarriersDatabase) {}

  /** Writes statuses, each a JSON text, unless another worker has the lease. */
  async write(lease: HeldLease, statuses: readonly (readonly [carrier: string, status: string])[]): Promise<void> {
    await this.db.control.query(
      `with ${LEASE_GUARD}
        insert into carriers.carrier_status as s (carrier, epoch, status)
        select u.carrier, $2, u.status::jsonb from unnest($3::text[], $4::text[]) as u(carrier, status)
        where exists (select from guard)
        on conflict (carrier) do update
          set epoch = excluded.epoch, status = excluded.status, updated_at = excluded.updated_at`,
      [lease.owner, lease.epoch, statuses.map(([carrier]) => carrier), statuses.map(([, status]) => status)],
    );
  }
}
