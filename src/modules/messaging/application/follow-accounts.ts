import { Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import { accountClosed, accountReactivated, accountSuspended } from '../../accounts/contract/accounts.events.js';
import { type AccountStatus, AccountStatusesRepository } from '../infrastructure/account-statuses.repository.js';
import { Dispatcher } from './dispatcher.js';

/** Keeps which accounts are suspended or closed: dispatch leaves them out, a sweep ends what they have waiting. */
@Injectable()
export class FollowAccounts implements DurableConsumer {
  readonly id = 'messaging.account-statuses';
  readonly source = 'accounts';
  readonly types = [accountSuspended.type, accountClosed.type, accountReactivated.type];

  constructor(
    private readonly statuses: AccountStatusesRepository,
    private readonly dispatcher: Dispatcher,
  ) {}

  async apply(tx: Queryable, events: readonly StoredEvent[]): Promise<() => void> {
    const newest = new Map<string, AccountStatus>();
    for (const { streamId, version, type } of events) {
      newest.set(streamId, { accountId: streamId, version, halted: type !== accountReactivated.type });
    }
    await this.statuses.record(tx, [...newest.values()]);
    const isBack = [...newest.values()].some((status) => !status.halted);
    return () => isBack && this.dispatcher.lookSoon();
  }
}
