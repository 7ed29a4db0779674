import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import { Failure } from '../../../shared/failure.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { accountCredited } from '../contract/billing.events.js';
import type { Credit } from '../domain/ledger.js';
import { BillingDatabase, BillingLog } from '../infrastructure/billing.storage.js';
import { LedgerAccountsRepository } from '../infrastructure/ledger-accounts.repository.js';
import { AwaitLedger } from './await-ledger.js';

export interface CreditInput {
  readonly accountSid: string;
  /** Chosen by the caller: the same key credits once. */
  readonly key: string;
  /** From one micro-unit on. */
  readonly amountMicros: bigint;
  readonly reason: string;
}

/** Adds money to an account. */
@Injectable()
export class CreditAccount {
  constructor(
    private readonly ledger: AwaitLedger,
    private readonly db: BillingDatabase,
    private readonly log: BillingLog,
    private readonly accounts: LedgerAccountsRepository,
  ) {}

  /**
   * @returns the credit, now or before made with the key
   * @throws Failure what AwaitLedger throws; `idempotency_mismatch` (`key`) when the key credited another amount
   */
  async credit(input: CreditInput): Promise<Credit> {
    const accountId = await this.ledger.wait(input.accountSid);
    const credit = await this.db.transaction((tx) => this.write(tx, accountId, input));
    this.log.wake();
    if (credit.amountMicros === input.amountMicros) return credit;
    const detail = 'this key credited another amount before';
    throw new Failure('idempotency_mismatch', { field: 'key', detail });
  }

  private async write(tx: Queryable, accountId: string, { key, amountMicros, reason }: CreditInput): Promise<Credit> {
    await this.accounts.lockForCredit(tx, accountId);
    const before = await this.accounts.findCredit(tx, accountId, key);
    if (before) return before;
    const made = await this.accounts.credit(tx, { accountId, key, entryKey: newId(), amountMicros, reason });
    await this.log.append(tx, [
      {
        type: accountCredited.type,
        streamId: accountId,
        version: made.version,
        tenantId: accountId,
        data: {
          accountSid: sidOf('AC', accountId),
          amountMicros: Number(amountMicros),
          currency: made.currency,
        },
      },
    ]);
    return made.credit;
  }
}
