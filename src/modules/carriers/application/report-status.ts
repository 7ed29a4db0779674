import { Injectable } from '@nestjs/common';
import type { CarrierStatus } from '../domain/link-status.js';
import type { HeldLease } from '../infrastructure/binds-lease.repository.js';
import { CarrierStatusRepository } from '../infrastructure/carrier-status.repository.js';

/** Tells the other processes how the carriers fare: writes what has changed since it was last written. */
@Injectable()
export class ReportStatus {
  private epoch = 0;
  private written = new Map<string, string>();

  constructor(private readonly repository: CarrierStatusRepository) {}

  /** Called about once a second by the owner of the binds. */
  async report(lease: HeldLease, statuses: ReadonlyMap<string, CarrierStatus>): Promise<void> {
    if (lease.epoch !== this.epoch) this.written.clear();
    this.epoch = lease.epoch;
    const texts = new Map([...statuses].map(([carrier, status]) => [carrier, JSON.stringify(status)]));
    const changed = [...texts].filter(([carrier, text]) => this.written.get(carrier) !== text);
    if (changed.length === 0) return;
    await this.repository.write(lease, changed);
    this.written = texts;
  }
}
