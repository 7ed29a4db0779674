import { setTimeout as delay } from 'node:timers/promises';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import type { Logger } from '../../../platform/tokens.js';
import type { NewEvent } from '../../../shared/define-event.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { receiptReceived, submissionAnswered, submissionReturned } from '../contract/carriers.events.js';
import type { HeldLease } from '../infrastructure/binds-lease.repository.js';
import { candidateIds, normalizeMessageId } from '../infrastructure/smpp/receipt.js';
import {
  type AnsweredSubmission,
  BindsLost,
  type Intended,
  type OrphanReceipt,
  type SegmentMatch,
  type SubmissionsRepository,
} from '../infrastructure/submissions.repository.js';
import type { CarrierReceipt } from './carrier-connection.js';
import { OpenIntents } from './open-intents.js';

type Fact =
  | { readonly kind: 'answered'; readonly intentId: string; readonly submission: AnsweredSubmission }
  | { readonly kind: 'returned'; readonly intentId: string; readonly item: Intended; readonly reason: string }
  | { readonly kind: 'receipt'; readonly receipt: CarrierReceipt };

const RETRY_MS = 200;
const MAX_ORPHANS = 100_000;

/**
 * Writes what the carriers say, in groups and in order: answers before the receipts that came after them. One group is
 * under way at a time, and it is repeated until it is written or the lease is lost, so that no answer is ever dropped.
 * Receipts that match no submission are kept as orphans and matched when its answer comes.
 */
export class OutcomeRecorder {
  private readonly group: GroupCommit<Fact, true>;
  private readonly orphans = new Map<string, OrphanReceipt[]>();
  private orphanCount = 0;

  constructor(
    private readonly lease: HeldLease,
    private readonly repository: SubmissionsRepository,
    private readonly intents: OpenIntents,
    private readonly logger: Logger,
    private readonly onLost: () => void,
  ) {
    this.group = new GroupCommit<Fact, true>((facts) => this.write(facts), {
      maxBatch: 500,
      maxInFlight: 1,
      maxQueued: Number.POSITIVE_INFINITY,
      gatherMs: 2,
    });
  }

  /** Reads the receipts that earlier owners could not match. */
  async start(): Promise<void> {
    for (const orphan of await this.repository.orphans(MAX_ORPHANS)) this.remember(orphan);
  }

  get orphaned(): number {
    return this.orphanCount;
  }

  answered(intentId: string, submission: AnsweredSubmission): void {
    const messageIds = submission.messageIds.map(normalizeMessageId);
    this.group.submit({ kind: 'answered', intentId, submission: { ...submission, messageIds } }).catch(() => undefined);
  }

  returned(intentId: string, item: Intended, reason: string): void {
    this.group.submit({ kind: 'returned', intentId, item, reason }).catch(() => undefined);
  }

  /** Resolves when the receipt is durable: only then may the carrier be told so. */
  async receipt(receipt: CarrierReceipt): Promise<void> {
    await this.group.submit({ kind: 'receipt', receipt });
  }

  /** Resolves when everything is written. */
  drain(): Promise<void> {
    return this.group.drain();
  }

  private async write(facts: Fact[]): Promise<true[]> {
    for (;;) {
      try {
        await this.writeOnce(facts);
        return facts.map(() => true);
      } catch (error) {
        if (error instanceof BindsLost) {
          this.onLost();
          throw error;
        }
        this.logger.warn({ err: error }, 'the outcomes of submissions cannot be written yet');
        await delay(RETRY_MS);
      }
    }
  }

  private async writeOnce(facts: readonly Fact[]): Promise<void> {
    const answered = facts.flatMap((fact) => (fact.kind === 'answered' ? fact.submission : []));
    const receipts = facts.flatMap((fact) => (fact.kind === 'receipt' ? fact.receipt : []));
    const events: NewEvent[] = answered.map(answerEvent);
    for (const fact of facts) if (fact.kind === 'returned') events.push(returnEvent(fact.item, fact.reason));
    const found = await this.matchReceipts(receipts, answered);
    events.push(...found.events);
    const adopted = this.adoptOrphans(answered);
    events.push(...adopted.events);
    const { closed, shrunk } = this.intents.without(
      facts.flatMap((fact) => {
        if (fact.kind === 'answered') return { intentId: fact.intentId, key: fact.submission.key, returned: false };
        return fact.kind === 'returned' ? { intentId: fact.intentId, key: fact.item.key, returned: true } : [];
      }),
    );
    await this.repository.record(this.lease, {
      answered,
      events: distinct(events),
      closedIntents: closed,
      replacedIntents: shrunk,
      matchedOrphans: adopted.ids,
      newOrphans: found.orphans,
    });
    this.intents.settle(
      facts.flatMap((fact) =>
        fact.kind === 'answered' ? fact.submission.key : fact.kind === 'returned' ? fact.item.key : [],
      ),
    );
    for (const orphan of found.orphans) this.remember(orphan);
    for (const id of adopted.ids) this.forget(id);
  }

  /** Finds the segment of each receipt: among the answers of this group, then among those that are written. */
  private async matchReceipts(
    receipts: readonly CarrierReceipt[],
    answered: readonly AnsweredSubmission[],
  ): Promise<{ events: NewEvent[]; orphans: OrphanReceipt[] }> {
    if (receipts.length === 0) return { events: [], orphans: [] };
    const known = new Map<string, SegmentMatch[]>();
    for (const submission of answered) for (const match of segmentsOf(submission)) put(known, match);
    const asked = receipts.flatMap((receipt) =>
      candidateIds(receipt.messageId).map((id) => [receipt.carrier, id] as const),
    );
    const written = await this.repository.match(
      asked.map(([carrier]) => carrier),
      asked.map(([, id]) => id),
    );
    for (const match of written) put(known, match);
    const events: NewEvent[] = [];
    const orphans: OrphanReceipt[] = [];
    for (const receipt of receipts) {
      const match = find(known, receipt);
      if (match) events.push(receiptEvent(match, receipt));
      else orphans.push({ ...receipt, id: newId(), messageId: normalizeMessageId(receipt.messageId) });
    }
    return { events, orphans };
  }

  /** The orphans whose submission was answered in this group. */
  private adoptOrphans(answered: readonly AnsweredSubmission[]): { events: NewEvent[]; ids: string[] } {
    const events: NewEvent[] = [];
    const ids: string[] = [];
    if (this.orphanCount === 0) return { events, ids };
    for (const submission of answered) {
      for (const match of segmentsOf(submission)) {
        for (const id of candidateIds(match.messageId)) {
          for (const orphan of this.orphans.get(keyOf(match.carrier, id)) ?? []) {
            if (!fits(match, orphan, id === match.messageId) || ids.includes(orphan.id)) continue;
            ids.push(orphan.id);
            events.push(receiptEvent(match, orphan as CarrierReceipt));
          }
        }
      }
    }
    return { events, ids };
  }

  private remember(orphan: OrphanReceipt): void {
    if (this.orphanCount >= MAX_ORPHANS) return;
    const key = keyOf(orphan.carrier, orphan.messageId);
    this.orphans.set(key, [...(this.orphans.get(key) ?? []), orphan]);
    this.orphanCount++;
  }

  private forget(id: string): void {
    for (const [key, list] of this.orphans) {
      const left = list.filter((orphan) => orphan.id !== id);
      if (left.length === list.length) continue;
      this.orphanCount--;
      if (left.length > 0) this.orphans.set(key, left);
      else this.orphans.delete(key);
      return;
    }
  }
}

function segmentsOf(submission: AnsweredSubmission): SegmentMatch[] {
  return submission.messageIds.map((messageId, index) => ({
    key: submission.key,
    accountId: submission.accountId,
    segment: index + 1,
    segments: submission.segments,
    carrier: submission.carrier,
    messageId,
    destination: submission.destination,
  }));
}

function put(known: Map<string, SegmentMatch[]>, match: SegmentMatch): void {
  const key = keyOf(match.carrier, match.messageId);
  const list = known.get(key);
  if (list) list.push(match);
  else known.set(key, [match]);
}

/** The exact id first; an id in another base counts only if the receipt also comes from the message's destination. */
function find(known: Map<string, SegmentMatch[]>, receipt: CarrierReceipt): SegmentMatch | null {
  const candidates = candidateIds(receipt.messageId);
  for (const [index, id] of candidates.entries()) {
    const matches = known.get(keyOf(receipt.carrier, id)) ?? [];
    const match = matches.find((one) => fits(one, receipt, false)) ?? (index === 0 ? matches[0] : undefined);
    if (match) return match;
  }
  return null;
}

function fits(match: SegmentMatch, receipt: { readonly source: string }, isExact: boolean): boolean {
  return isExact || digits(match.destination) === digits(receipt.source);
}

function digits(address: string): string {
  return address.replace(/\D/g, '');
}

function keyOf(carrier: string, messageId: string): string {
  return `${carrier}\n${messageId}`;
}

function answerEvent(submission: AnsweredSubmission): NewEvent {
  return {
    type: submissionAnswered.type,
    streamId: submission.key,
    version: 1,
    tenantId: submission.accountId,
    data: {
      key: sidOf('SM', submission.key),
      carrier: submission.carrier,
      outcome: submission.outcome,
      errorCode: submission.errorCode,
      segments: submission.segments,
    },
  };
}

function returnEvent(item: Intended, reason: string): NewEvent {
  // A stream of its own: a submission may be given back any number of times before its first answer.
  return {
    type: submissionReturned.type,
    streamId: newId(),
    version: 1,
    tenantId: item.accountId,
    data: { key: sidOf('SM', item.key), reason },
  };
}

/** Two versions for each segment, one for whatever is not final and one for what is: a repetition finds its own taken. */
function receiptEvent(match: SegmentMatch, receipt: Omit<CarrierReceipt, 'messageId'>): NewEvent {
  return {
    type: receiptReceived.type,
    streamId: match.key,
    version: 2 * match.segment + (receipt.state === 'enroute' ? 0 : 1),
    tenantId: match.accountId,
    data: {
      key: sidOf('SM', match.key),
      carrier: match.carrier,
      segment: match.segment,
      segments: match.segments,
      state: receipt.state,
      errorCode: receipt.errorCode,
      doneDate: receipt.doneDate,
    },
  };
}

function distinct(events: readonly NewEvent[]): NewEvent[] {
  const seen = new Set<string>();
  return events.filter((event) => {
    const key = `${event.streamId}/${event.version}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
