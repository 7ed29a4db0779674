import { Inject, Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import { isFailure } from '../../../shared/failure.js';
import { sidOf } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { phoneNumberAssigned, phoneNumberReleased } from '../../accounts/contract/accounts.events.js';
import { type PooledNumber, ServicesRepository } from '../infrastructure/services.repository.js';
import { ChangePool } from './change-pool.js';

/**
 * Takes numbers out of pools when their account has them no more: given back, or moved to another account. Sending passes
 * them over anyhow; but they would stand in the list under a SID that is nobody's, and send again as soon as the account
 * gets the same number anew.
 */
@Injectable()
export class FollowNumbers implements DurableConsumer {
  readonly id = 'messaging.pools';
  readonly source = 'accounts';
  readonly types = [phoneNumberReleased.type, phoneNumberAssigned.type];

  constructor(
    @Inject(AccountsApi) private readonly accounts: AccountsApi,
    private readonly pools: ChangePool,
    private readonly repository: ServicesRepository,
  ) {}

  /** What is in the pools now is held against who owns it now, so that an event that comes again does nothing. */
  async prepare(events: readonly StoredEvent[]): Promise<void> {
    const numbers = events.map(({ data }) => (data as EventData<typeof phoneNumberReleased>).phoneNumber);
    for (const pooled of await this.repository.pooled(numbers)) {
      if (!(await this.isOwned(pooled))) await this.remove(pooled);
    }
  }

  private async isOwned({ accountId, id }: PooledNumber): Promise<boolean> {
    const query = { accountSid: sidOf('AC', accountId), phoneNumberSid: sidOf('PN', id) };
    return (await this.accounts.getPhoneNumber(query)) !== null;
  }

  private async remove({ accountId, serviceId, id }: PooledNumber): Promise<void> {
    await this.pools.remove(accountId, serviceId, id).catch((error) => {
      // Its customer was quicker.
      if (!isFailure(error) || error.failure !== 'not_found') throw error;
    });
  }
}
