import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import { isTransientDatabaseError } from '../../../platform/postgres/database.js';
import type { Logger } from '../../../platform/tokens.js';
import type { NewEvent } from '../../../shared/define-event.js';
import { newId } from '../../../shared/sid.js';
import type { CarrierReceipt } from '../domain/carrier-connection.js';
import type { AnsweredSubmission, Intended, OrphanReceipt, SegmentMatch } from '../domain/submission.js';
import { BindsLost, type HeldLease } from '../infrastructure/binds-lease.repository.js';
import type { OutcomesRepository } from '../infrastructure/outcomes.repository.js';
import { candidateIds, normalizeMessageId } from '../infrastructure/smpp/receipt.js';
import type { OpenIntents, Settled } from './open-intents.js';
import { answerEvent, distinctEvents, receiptEvent, returnEvent } from './outcome-events.js';
import { hasSameId, Orphans, SegmentIndex, segmentsOf } from './receipt-matching.js';

type Fact = Answered | Returned | Receipted;

interface Answered {
  readonly kind: 'answered';
  readonly intentId: string;
  readonly submission: AnsweredSubmission;
}

interface Returned {
  readonly kind: 'returned';
  readonly intentId: string;
  readonly item: Intended;
  readonly eventId: string;
  readonly reason: string;
}

interface Receipted {
  readonly kind: 'receipt';
  readonly id: string;
  readonly receivedAtMs: number;
  readonly receipt: CarrierReceipt;
}

const MAX_BATCH = 500;
const RETRY_MS = 200;
/** What the database refuses by itself is tried again after this, and keeps nothing else waiting. */
const ASIDE_MS = 30_000;
const MAX_ORPHANS = 100_000;

/**
 * Writes what the carriers say, in groups and in order: answers before the receipts that came after them. One group is
 * under way at a time, and it is repeated until it is written or the lease is lost, so that no answer is ever dropped.
 * Receipts that match no submission are kept as orphans and matched when its answer comes.
 *
 * What waits here is bounded by whoever hands it over: a link takes no more than twice its window, a session leaves its
 * socket unread when too many receipts are unanswered.
 */
export class OutcomeRecorder {
  private readonly group: GroupCommit<Fact, true>;
  private readonly orphans = new Orphans(MAX_ORPHANS);
  private readonly aside = new Set<NodeJS.Timeout>();
  private readonly wakeup = new Wakeup();
  private closed = false;

  constructor(
    private readonly lease: HeldLease,
    private readonly repository: OutcomesRepository,
    private readonly intents: OpenIntents,
    private readonly logger: Logger,
    private readonly onLost: () => void,
  ) {
    this.group = new GroupCommit<Fact, true>((facts) => this.write(facts), {
      maxBatch: MAX_BATCH,
      maxInFlight: 1,
      maxQueued: Number.POSITIVE_INFINITY,
      gatherMs: 2,
    });
  }

  /** Reads the receipts that earlier owners could not match. */
  async start(): Promise<void> {
    for (const orphan of await this.repository.newestOrphans(MAX_ORPHANS)) this.orphans.add(orphan);
  }

  answered(intentId: string, submission: AnsweredSubmission): void {
    const messageIds = submission.messageIds.map(normalizeMessageId);
    this.submit({ kind: 'answered', intentId, submission: { ...submission, messageIds } });
  }

  returned(intentId: string, item: Intended, reason: string): void {
    this.submit({ kind: 'returned', intentId, item, eventId: newId(), reason });
  }

  /** Resolves when the receipt is durable: only then may the carrier be told so. Rejects where it cannot be kept now. */
  async receipt(receipt: CarrierReceipt): Promise<void> {
    await this.group.submit({ kind: 'receipt', id: newId(), receivedAtMs: Date.now(), receipt });
  }

  /** How many facts wait for the database. */
  get backlog(): number {
    return this.group.queued;
  }

  /** Resolves when everything is written, or the lease is lost. */
  drain(): Promise<void> {
    return this.group.drain();
  }

  /** Gives up what is not written: the next owner finds it in the intents. */
  close(): void {
    this.closed = true;
    for (const timer of this.aside) clearTimeout(timer);
    this.aside.clear();
  }

  private submit(fact: Fact): void {
    this.group.submit(fact).catch(() => undefined);
  }

  private async write(facts: Fact[]): Promise<(true | Error)[]> {
    for (let failures = 0; ; failures++) {
      try {
        await this.writeOnce(facts);
        return facts.map(() => true);
      } catch (error) {
        if (error instanceof BindsLost) throw this.lose(error);
        if (!isTransientDatabaseError(error)) return this.writeSingly(facts);
        if (failures === 0) this.logger.warn({ err: error }, 'the outcomes of submissions cannot be written yet');
        await this.wakeup.pause(RETRY_MS, () => this.closed);
      }
    }
  }

  /** One that the database refuses must not keep the others from being written. */
  private async writeSingly(facts: readonly Fact[]): Promise<(true | Error)[]> {
    const results: (true | Error)[] = [];
    for (const fact of facts) {
      try {
        await this.writeOnce([fact]);
        results.push(true);
      } catch (error) {
        if (error instanceof BindsLost) throw this.lose(error);
        this.setAside(fact, error);
        results.push(new Error('it could not be written', { cause: error }));
      }
    }
    return results;
  }

  /** An outcome is tried again later; a receipt is sent again by its carrier. */
  private setAside(fact: Fact, error: unknown): void {
    const subject = fact.kind === 'answered' ? fact.submission.key : fact.kind === 'returned' ? fact.item.key : fact.id;
    this.logger.error({ kind: fact.kind, subject, err: error }, 'the outcome of a submission cannot be written');
    if (fact.kind === 'receipt' || this.closed) return;
    const timer = setTimeout(() => {
      this.aside.delete(timer);
      this.submit(fact);
    }, ASIDE_MS);
    this.aside.add(timer);
  }

  private lose(error: BindsLost): BindsLost {
    this.close();
    this.onLost();
    return error;
  }

  private async writeOnce(facts: readonly Fact[]): Promise<void> {
    if (this.closed) throw new BindsLost();
    const answered = facts.flatMap((fact) => (fact.kind === 'answered' ? fact.submission : []));
    const receipts = facts.flatMap((fact) => (fact.kind === 'receipt' ? fact : []));
    const found = await this.matchReceipts(receipts, answered);
    const adopted = this.adoptOrphans(answered);
    const settled = facts.flatMap((fact) => (fact.kind === 'receipt' ? [] : settledBy(fact)));
    const { closed, returned } = this.intents.without(settled);
    await this.repository.record(this.lease, {
      answered,
      events: distinctEvents([
        ...answered.map(answerEvent),
        ...facts.flatMap((fact) => (fact.kind === 'returned' ? returnEvent(fact.item, fact.eventId, fact.reason) : [])),
        ...found.events,
        ...adopted.events,
      ]),
      closedIntents: closed,
      returnedKeys: returned,
      adoptedOrphans: adopted.orphans.map((orphan) => orphan.id),
      newOrphans: found.orphans,
    });
    this.intents.settle(settled);
    for (const orphan of found.orphans) this.orphans.add(orphan);
    for (const orphan of adopted.orphans) this.orphans.remove(orphan);
  }

  /** Finds the segment of each receipt: among the answers of this group, then among those that are written. */
  private async matchReceipts(
    receipts: readonly Receipted[],
    answered: readonly AnsweredSubmission[],
  ): Promise<{ events: NewEvent[]; orphans: OrphanReceipt[] }> {
    if (receipts.length === 0) return { events: [], orphans: [] };
    const known = new SegmentIndex();
    for (const match of answered.flatMap(segmentsOf)) known.add(match);
    await this.look(known, receipts, (id) => candidateIds(id).slice(0, 1));
    // Most carriers report the id that they gave: other readings of it are looked up only where that one is unknown.
    const missing = receipts.filter(({ receipt }) => !known.findSure(receipt));
    if (missing.length > 0) await this.look(known, missing, (id) => candidateIds(id).slice(1));
    const events: NewEvent[] = [];
    const orphans: OrphanReceipt[] = [];
    for (const { id, receivedAtMs, receipt } of receipts) {
      const match = known.find(receipt);
      if (match) events.push(...known.sharing(match).map((each) => receiptEvent(each, receipt)));
      else orphans.push({ ...receipt, id, messageId: normalizeMessageId(receipt.messageId), receivedAtMs });
    }
    return { events, orphans };
  }

  private async look(
    known: SegmentIndex,
    receipts: readonly Receipted[],
    idsOf: (messageId: string) => string[],
  ): Promise<void> {
    const asked = receipts.flatMap(({ receipt }) =>
      idsOf(receipt.messageId).map((messageId) => ({ carrier: receipt.carrier, messageId })),
    );
    for (const match of await this.repository.match(asked)) known.add(match);
  }

  /** The orphans whose submission was answered in this group. */
  private adoptOrphans(answered: readonly AnsweredSubmission[]): { events: NewEvent[]; orphans: OrphanReceipt[] } {
    const adopted = new Map<OrphanReceipt, SegmentMatch[]>();
    for (const match of this.orphans.size === 0 ? [] : answered.flatMap(segmentsOf)) {
      for (const orphan of this.orphans.of(match, Date.now())) {
        const [first, ...others] = adopted.get(orphan) ?? [];
        if (!first) adopted.set(orphan, [match]);
        else if (hasSameId(first, match)) adopted.set(orphan, [first, ...others, match]);
      }
    }
    const events = [...adopted].flatMap(([orphan, matches]) => matches.map((match) => receiptEvent(match, orphan)));
    return { events, orphans: [...adopted.keys()] };
  }
}

function settledBy(fact: Answered | Returned): Settled {
  return fact.kind === 'answered'
    ? { intentId: fact.intentId, key: fact.submission.key, returned: false }
    : { intentId: fact.intentId, key: fact.item.key, returned: true };
}
