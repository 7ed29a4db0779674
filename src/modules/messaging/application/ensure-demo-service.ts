import { Injectable } from '@nestjs/common';
import { DatabaseClock } from '../../../platform/postgres/database-clock.js';
import { isFailure } from '../../../shared/failure.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import type { MessagingDemo } from '../contract/messaging.demo.js';
import { SERVICE_DEFAULTS } from '../domain/service.js';
import { MessagingLog } from '../infrastructure/messaging.storage.js';
import { ChangePool } from './change-pool.js';
import { ServiceChanges } from './service-changes.js';

/** Makes the demo account's messaging service, once. */
@Injectable()
export class EnsureDemoService implements MessagingDemo {
  constructor(
    private readonly changes: ServiceChanges,
    private readonly pool: ChangePool,
    private readonly log: MessagingLog,
    private readonly clock: DatabaseClock,
  ) {}

  /** See MessagingDemo. The service has the digits of its account's SID, so that every start finds the same. */
  async ensureDemoService(input: { accountSid: string; phoneNumberSid: string }): Promise<{ serviceSid: string }> {
    const accountId = parseSid('AC', input.accountSid)!;
    const [first, second] = await this.log.readStream(accountId, 2);
    if (!first) {
      const at = new Date(this.clock.now());
      const born = { accountId, id: accountId, version: 1, createdAt: at, updatedAt: at };
      await this.changes.create({ ...SERVICE_DEFAULTS, ...born, friendlyName: 'Demo' });
    }
    if (!second) await this.addNumber(accountId, input.phoneNumberSid);
    return { serviceSid: sidOf('MG', accountId) };
  }

  /** Another start may be doing the same. */
  private async addNumber(accountId: string, phoneNumberSid: string): Promise<void> {
    try {
      await this.pool.add(accountId, accountId, phoneNumberSid);
    } catch (error) {
      if (!isFailure(error, 'number_in_service') && !isFailure(error, 'number_in_other_service')) throw error;
    }
  }
}
