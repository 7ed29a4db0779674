import { Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import { parseSid } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { accountOpened, tierChanged } from '../../accounts/contract/accounts.events.js';
import { FUNDING_ID, REVENUE_ID } from '../domain/ledger.js';
import { quotaOf } from '../domain/quota.js';
import { LedgerAccountsRepository, type Quota } from '../infrastructure/ledger-accounts.repository.js';
import { OpenLedgerAccount } from './open-ledger-account.js';

type Opened = EventData<typeof accountOpened>;
type Changed = EventData<typeof tierChanged>;

const BATCH = 20;

/**
 * Billing's part in opening an account: opens its ledger and reports back, or reports that it cannot. Both halves
 * happen before the cursor moves, and both may be repeated: a ledger is opened once, a report changes an account once.
 * It also keeps the daily quota what accounts says it is: the newest event of an account decides, however often the
 * older ones are heard again.
 */
@Injectable()
export class ProvisionAccounts implements DurableConsumer<void> {
  readonly id = 'billing.provision-accounts';
  readonly source = 'accounts';
  readonly types = [accountOpened.type, tierChanged.type];
  readonly batchSize = BATCH;

  constructor(
    private readonly accounts: AccountsApi,
    private readonly ledgerAccounts: LedgerAccountsRepository,
    private readonly ledger: OpenLedgerAccount,
  ) {}

  async prepare(events: readonly StoredEvent[]): Promise<void> {
    for (const event of events) {
      if (event.type === accountOpened.type) await this.provision(event.data as Opened);
    }
  }

  async apply(tx: Queryable, events: readonly StoredEvent[]): Promise<void> {
    const newest = new Map(events.map((event) => [event.streamId, quotaFrom(event)]));
    await this.ledgerAccounts.setQuotas(tx, [...newest.values()]);
  }

  private async provision({ accountSid, ownerAccountSid, tier }: Opened): Promise<void> {
    const id = parseSid('AC', accountSid);
    if (!id) throw new Error(`${accountSid} is no account SID`);
    const reason = await this.refusal(id, ownerAccountSid);
    if (reason) return this.accounts.rejectProvisioning({ accountSid, reason });
    await this.ledger.open(id, tier);
    await this.accounts.completeProvisioning({ accountSid });
  }

  /** Why the account can never have a ledger; null when it can. */
  private async refusal(id: string, ownerAccountSid: string | null): Promise<string | null> {
    if (id === REVENUE_ID || id === FUNDING_ID) return "the SID belongs to the ledger's own accounts";
    if (ownerAccountSid === null) return null;
    const ownerId = parseSid('AC', ownerAccountSid);
    const owner = ownerId && (await this.ledgerAccounts.balance(ownerId));
    return owner ? null : 'the account that owns it has no ledger';
  }
}

function quotaFrom({ type, streamId, version, data }: StoredEvent): Quota {
  const limit =
    type === tierChanged.type
      ? quotaOf((data as Changed).tier, (data as Changed).messagesPerDay)
      : quotaOf((data as Opened).tier, null);
  return { accountId: streamId, limit, version };
}
