import { Inject, Injectable } from '@nestjs/common';
import { sidOf } from '../../../shared/sid.js';
import { BillingApi } from '../../billing/contract/billing.api.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { SagaOutcomes } from './saga-outcomes.js';

/**
 * The compensation of the send saga: takes the ids of sagas that ended without a message, so that none can be written
 * under them any more, and only then gives their reservations back. Safe to repeat, and beside a saga that is still
 * running: whichever takes the id first wins.
 */
@Injectable()
export class GiveUpSagas {
  constructor(
    @Inject(BillingApi) private readonly billing: BillingApi,
    private readonly messages: MessagesRepository,
    private readonly outcomes: SagaOutcomes,
  ) {}

  /** Returns the ids that were given up; the others have their message. */
  async giveUp(sagas: readonly { accountId: string; id: string }[]): Promise<Set<string>> {
    if (sagas.length === 0) return new Set();
    const abandoned = await this.messages.abandon(sagas);
    await this.billing.settle(abandoned.map((id) => ({ key: sidOf('SM', id), outcome: 'undo' as const })));
    this.outcomes.count('compensate', 'voided', abandoned.length);
    return new Set(abandoned);
  }
}
