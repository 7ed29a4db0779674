import type { CarrierDefinition } from '../../src/modules/carriers/domain/carrier.js';
import type { ConnectionHandlers } from '../../src/modules/carriers/domain/carrier-connection.js';
import type { Intended } from '../../src/modules/carriers/domain/submission.js';
import type { HeldLease } from '../../src/modules/carriers/infrastructure/binds-lease.repository.js';
import type { GiveUpSagas } from '../../src/modules/messaging/application/give-up-sagas.js';
import type { Appended, NewMessage } from '../../src/modules/messaging/infrastructure/messages.repository.js';
import type { DurableConsumer } from '../../src/platform/event-log/consumer.js';
import { sidOf } from '../../src/shared/sid.js';
import type { FakeSession } from './fake-carrier.js';
import { Parts, type PartsClass } from './product.js';
import { IntentsTwin, OutcomesTwin, WithdrawalsTwin } from './twins/carriers.twins.js';
import { ConsumersTwin } from './twins/consumers.twin.js';
import type { Transaction } from './twins/database.js';
import { type EntryRow, LedgerTwin } from './twins/ledger.twin.js';
import { MessagesTwin } from './twins/messages.twin.js';

class SkippedVoid extends Parts {
  override billing(): ReturnType<Parts['billing']> {
    const billing = super.billing();
    const settle: typeof billing.settle = async (items) => {
      await billing.settle(items.filter(({ outcome }) => outcome === 'post'));
      return items.map(() => 'settled');
    };
    return { ...billing, settle };
  }
}

class PostsTwice extends LedgerTwin {
  protected override settleOne(item: Parameters<LedgerTwin['settle']>[0][number]): 'post' | 'void' | null {
    const entry = this.table.entries.get(item.key);
    if (entry?.resolution !== 'post') return super.settleOne(item);
    this.move(entry as EntryRow);
    return 'post';
  }
}

class DoubledPost extends Parts {
  override ledger(): LedgerTwin {
    return new PostsTwice(this.shared.ledger, this.db);
  }
}

class AnyEpoch extends OutcomesTwin {
  protected override mayWrite(): boolean {
    return true;
  }
}

class NoEpochForOutcomes extends Parts {
  override outcomes(): OutcomesTwin {
    return new AnyEpoch(this.shared.carriers, this.db, this.carriersLog);
  }
}

class AnyCursor extends ConsumersTwin {
  protected override mayMove(): boolean {
    return true;
  }
}

class NoFenceForCursor extends Parts {
  override consumers(): ConsumersTwin {
    return new AnyCursor(this.shared.consumers, this.db);
  }
}

class DropsEarlyReceipts extends Parts {
  override open(definition: CarrierDefinition, handlers: ConnectionHandlers): FakeSession {
    const { submissions } = this.shared.carriers;
    return super.open(definition, {
      ...handlers,
      onReceipt: async (receipt) => {
        const isKnown = [...submissions.values()].some(({ messageIds }) => messageIds.includes(receipt.messageId));
        if (isKnown) await handlers.onReceipt(receipt);
      },
    });
  }
}

class ConfirmsReceiptsAtOnce extends Parts {
  override open(definition: CarrierDefinition, handlers: ConnectionHandlers): FakeSession {
    return super.open(definition, {
      ...handlers,
      onReceipt: async (receipt) => {
        handlers.onReceipt(receipt).catch(() => undefined);
      },
    });
  }
}

class LateMessages extends MessagesTwin {
  protected override insert(tx: Transaction, items: readonly NewMessage[]): Appended {
    return super.insert(
      tx,
      items.map((item) => ({ ...item, deadlineMs: Number.POSITIVE_INFINITY })),
    );
  }
}

/** Either alone does no harm: a late append finds its id taken, and without late appends the order does not matter. */
class VoidsBeforeAbandoning extends Parts {
  override messages(): MessagesTwin {
    return new LateMessages(this.shared.messaging, this.db, this.messagingLog);
  }

  override giveUp(...[billing, messages]: Parameters<Parts['giveUp']>): GiveUpSagas {
    const giveUp = async (sagas: readonly { accountId: string; id: string }[]) => {
      await billing.settle(sagas.map(({ id }) => ({ key: sidOf('SM', id), outcome: 'undo' as const })));
      return new Set(await messages.abandon(sagas));
    };
    return { giveUp } as unknown as GiveUpSagas;
  }
}

class FindsNoMessages extends MessagesTwin {
  override async existing(): Promise<Set<string>> {
    return new Set();
  }

  override async abandon(keys: readonly { id: string }[]): Promise<string[]> {
    return keys.map(({ id }) => id);
  }
}

class SweepsWhatIsWritten extends Parts {
  override messages(): MessagesTwin {
    return new FindsNoMessages(this.shared.messaging, this.db, this.messagingLog);
  }
}

class CompletesKeysFirst extends MessagesTwin {
  override async append(items: readonly NewMessage[]): Promise<Appended> {
    await this.db.run('complete keys', [], () => {
      for (const { message, idempotencyKey } of items) {
        const key = this.tables.keys.get(`${message.accountId}/${idempotencyKey}`);
        if (key?.messageId === message.id) key.isDone = true;
      }
    });
    return super.append(items);
  }
}

class KeyBeforeMessage extends Parts {
  override messages(): MessagesTwin {
    return new CompletesKeysFirst(this.shared.messaging, this.db, this.messagingLog);
  }
}

class WritesNoIntents extends IntentsTwin {
  protected override write(_lease: HeldLease, _id: string, items: readonly Intended[]): Set<string> {
    return new Set(items.filter((item) => !this.tables.submissions.has(item.key)).map((item) => item.key));
  }
}

class SendsBeforeIntent extends Parts {
  override intents(): IntentsTwin {
    return new WritesNoIntents(this.shared.carriers, this.db);
  }
}

class TellsWhatIsFree extends WithdrawalsTwin {
  protected override write(keys: readonly string[]): Set<string> {
    return new Set(keys.filter((key) => !this.tables.mayHave(key)));
  }
}

class CancelsWithoutWithdrawing extends Parts {
  override withdrawals(): WithdrawalsTwin {
    return new TellsWhatIsFree(this.shared.carriers, this.db);
  }
}

class ChargesWhatFailed extends Parts {
  override settlement(billing: ReturnType<Parts['billing']>): DurableConsumer {
    const consumer = super.settlement(billing);
    const post = async (events: readonly { streamId: string }[]) => {
      await billing.settle(events.map(({ streamId }) => ({ key: sidOf('SM', streamId), outcome: 'post' as const })));
    };
    const { id, source, types } = consumer;
    return { id, source, types, prepare: post, apply: async () => undefined };
  }
}

class SettlesAfterItsCursor extends Parts {
  override settlement(billing: ReturnType<Parts['billing']>): DurableConsumer {
    const { id, source, types, prepare } = super.settlement(billing);
    const settle = prepare!.bind(super.settlement(billing));
    const apply: DurableConsumer['apply'] = async (_tx, events) => () => void settle(events).catch(() => undefined);
    return { id, source, types, apply };
  }
}

export interface Planted {
  readonly name: string;
  readonly parts: PartsClass;
  /** Where the search begins: a fault that one schedule in a thousand shows is looked for near such a one. */
  readonly from: number;
  /** What the simulation says of it. */
  readonly says: RegExp;
}

/** Faults as somebody could make them. */
export const PLANTED: readonly Planted[] = [
  { name: 'a void that is skipped', parts: SkippedVoid, from: 1, says: /does not come to rest/ },
  { name: 'a post that is doubled', parts: DoubledPost, from: 1, says: /a balance is/ },
  { name: 'a charge for what failed', parts: ChargesWhatFailed, from: 1, says: /has its charge resolved: post/ },
  { name: 'a settlement after its cursor', parts: SettlesAfterItsCursor, from: 100, says: /does not come to rest/ },
  { name: 'outcomes written under any epoch', parts: NoEpochForOutcomes, from: 320, says: /after another had begun/ },
  { name: 'a cursor moved under any lease', parts: NoFenceForCursor, from: 60, says: /had the effect of event/ },
  { name: 'a receipt dropped before its answer', parts: DropsEarlyReceipts, from: 1, says: /receipt .* is lost/ },
  { name: 'a receipt confirmed too early', parts: ConfirmsReceiptsAtOnce, from: 1, says: /receipt .* is lost/ },
  { name: 'a void before its id is taken', parts: VoidsBeforeAbandoning, from: 2040, says: /charge resolved: void/ },
  { name: 'a sweep that looks for no message', parts: SweepsWhatIsWritten, from: 1, says: /charge resolved: void/ },
  { name: 'a key completed before its message', parts: KeyBeforeMessage, from: 1, says: /its message is missing/ },
  { name: 'a submission sent before its key', parts: SendsBeforeIntent, from: 1, says: /a carrier has it|twice/ },
  {
    name: 'a cancel that does not withdraw',
    parts: CancelsWithoutWithdrawing,
    from: 1,
    says: /is canceled, and a carrier has it/,
  },
];
