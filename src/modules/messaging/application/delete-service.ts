import { Injectable } from '@nestjs/common';
import { ServiceChanges } from './service-changes.js';

/** Deletes a messaging service with its pool; the numbers stay with the account. */
@Injectable()
export class DeleteService {
  constructor(private readonly changes: ServiceChanges) {}

  /** What is scheduled through it fails when it is due. @throws Failure not_found */
  async delete(accountId: string, id: string): Promise<void> {
    await this.changes.change(accountId, id, async (service) => ({ service, change: 'deleted' }));
  }
}
