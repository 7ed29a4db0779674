import { Inject, Injectable } from '@nestjs/common';
import { Failure, isFailure } from '../../../shared/failure.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import type { Message } from '../domain/message.js';
import { sendersFor } from '../domain/sender-pool.js';
import { type KnownService, ServiceDirectory } from './service-directory.js';

/** The messaging service of a message, and which of its numbers sends it. */
@Injectable()
export class ChooseSender {
  constructor(
    private readonly services: ServiceDirectory,
    @Inject(AccountsApi) private readonly accounts: AccountsApi,
  ) {}

  /** The account's service with a SID. @throws Failure invalid_service, service_not_found */
  async service(accountSid: string, sid: string): Promise<KnownService> {
    const id = parseSid('MG', sid);
    if (!id) throw new Failure('invalid_service', { field: 'MessagingServiceSid' });
    const known = await this.services.service(parseSid('AC', accountSid)!, id);
    if (!known) throw new Failure('service_not_found', { field: 'MessagingServiceSid' });
    return known;
  }

  /**
   * The number of the pool that sends to a recipient: the first in their order that the account still owns, and that is not
   * the recipient itself.
   *
   * @throws Failure service_without_sender
   */
  async sender({ service, pool }: KnownService, to: string): Promise<string> {
    for (const { phoneNumber } of sendersFor(to, pool, service, Math.random())) {
      if (phoneNumber !== to && (await this.owns(service.accountId, phoneNumber))) return phoneNumber;
    }
    throw new Failure('service_without_sender', { field: 'MessagingServiceSid' });
  }

  /** Makes sure that a sender that was asked for may send for the service. @throws Failure from_not_usable, sender_not_in_service */
  async check({ service, pool }: KnownService, from: string): Promise<void> {
    if (!(await this.owns(service.accountId, from))) throw new Failure('from_not_usable', { field: 'From' });
    if (!pool.some(({ phoneNumber }) => phoneNumber === from)) {
      throw new Failure('sender_not_in_service', { field: 'From' });
    }
  }

  /**
   * The sender of a scheduled message when its time has come: the one that it has, as long as that may send for its
   * service; otherwise another one of the pool, unless its customer had asked for this one.
   *
   * @throws Failure service_not_found, service_without_sender; from_not_usable, sender_not_in_service where it was asked for
   */
  async again(
    message: Pick<Message, 'accountId' | 'serviceId' | 'from' | 'to'>,
    isFromAsked: boolean,
  ): Promise<string> {
    const { accountId, serviceId, from, to } = message;
    const known = serviceId && (await this.services.service(accountId, serviceId));
    if (!known) throw new Failure('service_not_found');
    try {
      await this.check(known, from);
      return from;
    } catch (error) {
      if (isFromAsked || !isFailure(error)) throw error;
      return this.sender(known, to);
    }
  }

  private owns(accountId: string, phoneNumber: string): Promise<boolean> {
    return this.accounts.ownsNumber({ accountSid: sidOf('AC', accountId), phoneNumber });
  }
}
