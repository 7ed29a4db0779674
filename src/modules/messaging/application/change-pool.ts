import { Inject, Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { type ListedNumber, MAX_POOL_NUMBERS, type PoolNumber, type Service } from '../domain/service.js';
import { ServicesRepository } from '../infrastructure/services.repository.js';
import { ServiceChanges } from './service-changes.js';

/** Puts numbers of the account into the pool of a messaging service, and takes them out again. */
@Injectable()
export class ChangePool {
  constructor(
    @Inject(AccountsApi) private readonly accounts: AccountsApi,
    private readonly changes: ServiceChanges,
    private readonly repository: ServicesRepository,
  ) {}

  /**
   * @throws Failure not_found (no such service), invalid_number_sid, number_in_service, number_in_other_service,
   *   service_pool_full
   */
  async add(accountId: string, serviceId: string, phoneNumberSid: string): Promise<ListedNumber> {
    const number = await this.owned(accountId, phoneNumberSid);
    await this.changes.change(accountId, serviceId, async (service, tx) => {
      await this.insert(tx, service, number);
      return { service, change: 'number_added', phoneNumber: number.phoneNumber };
    });
    const added = await this.repository.number(accountId, serviceId, number.id);
    if (!added) throw new Failure('conflict', { detail: 'The number was removed again at the same time' });
    return added;
  }

  /** @throws Failure not_found: no such service, or the number is not in it */
  async remove(accountId: string, serviceId: string, id: string): Promise<void> {
    await this.changes.change(accountId, serviceId, async (service, tx) => {
      const removed = await this.repository.deleteNumber(tx, accountId, serviceId, id);
      if (!removed) throw new Failure('not_found');
      return { service, change: 'number_removed', phoneNumber: removed.phoneNumber };
    });
  }

  private async owned(accountId: string, phoneNumberSid: string): Promise<PoolNumber> {
    const id = parseSid('PN', phoneNumberSid);
    const number = id && (await this.accounts.getPhoneNumber({ accountSid: sidOf('AC', accountId), phoneNumberSid }));
    if (!number) throw new Failure('invalid_number_sid', { field: 'PhoneNumberSid' });
    return { id, phoneNumber: number.phoneNumber };
  }

  private async insert(tx: Queryable, { accountId, id }: Service, number: PoolNumber): Promise<void> {
    if ((await this.repository.countNumbers(tx, accountId, id)) >= MAX_POOL_NUMBERS) {
      throw new Failure('service_pool_full');
    }
    if (await this.repository.insertNumber(tx, accountId, id, number)) return;
    const holder = await this.repository.serviceOf(accountId, number.phoneNumber, tx);
    throw new Failure(holder === id ? 'number_in_service' : 'number_in_other_service', { field: 'PhoneNumberSid' });
  }
}
