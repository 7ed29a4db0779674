import type { AnsweredSubmission, OrphanReceipt, SegmentMatch } from '../domain/submission.js';
import { candidateIds } from '../infrastructure/smpp/receipt.js';

/** A receipt that came this long before the answer to its submission cannot be told from one of a reused id any more. */
const EARLY_MS = 600_000;
/** Carriers write numbers with or without their international prefix: this many equal digits at the end are the same. */
const SAME_DIGITS = 7;

interface Subject {
  readonly carrier: string;
  readonly messageId: string;
  readonly source: string;
}

/** The segments of a submission that the carrier gave ids to. */
export function segmentsOf(submission: AnsweredSubmission): SegmentMatch[] {
  const segments = submission.messageIds.map((messageId, index) => ({
    key: submission.key,
    accountId: submission.accountId,
    segment: index + 1,
    segments: submission.segments,
    carrier: submission.carrier,
    messageId,
    destination: submission.destination,
  }));
  return segments.filter((segment) => segment.messageId !== '');
}

/** Segments by the ids that carriers gave them. */
export class SegmentIndex {
  private readonly byId = new Map<string, SegmentMatch[]>();

  add(match: SegmentMatch): void {
    push(this.byId, keyOf(match.carrier, match.messageId), match);
  }

  /**
   * The segment that a receipt is about: the one with its id, in whatever base, whose message went where the receipt
   * comes from; else the one with exactly its id that was added first, since carriers write addresses as they like.
   */
  find(receipt: Subject): SegmentMatch | null {
    return this.findSure(receipt) ?? this.matches(receipt.carrier, candidateIds(receipt.messageId)[0]!)[0] ?? null;
  }

  /**
   * The segments of the same submission that the carrier gave the same id, this one included: one id for a whole message
   * means one receipt for all of it.
   */
  sharing(match: SegmentMatch): readonly SegmentMatch[] {
    if (match.segments === 1) return [match];
    return this.matches(match.carrier, match.messageId).filter((one) => hasSameId(one, match));
  }

  /** As find, but only where the receipt comes from the message's destination. */
  findSure(receipt: Subject): SegmentMatch | null {
    for (const id of candidateIds(receipt.messageId)) {
      const match = this.matches(receipt.carrier, id).find((one) => isSameNumber(one.destination, receipt.source));
      if (match) return match;
    }
    return null;
  }

  private matches(carrier: string, messageId: string): readonly SegmentMatch[] {
    return this.byId.get(keyOf(carrier, messageId)) ?? [];
  }
}

/** The receipts that wait for their submission, as many as memory is given to; the others are in the database only. */
export class Orphans {
  private readonly byId = new Map<string, OrphanReceipt[]>();
  private count = 0;

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.count;
  }

  /** Keeps a receipt, in place of the oldest where there are too many; one that says the same is kept once. */
  add(orphan: OrphanReceipt): void {
    const key = keyOf(orphan.carrier, orphan.messageId);
    const list = this.byId.get(key) ?? [];
    if (list.some((one) => one.source === orphan.source && one.state === orphan.state)) return;
    this.byId.set(key, [...list, orphan]);
    this.count++;
    if (this.count > this.capacity) this.drop(this.byId.keys().next().value!);
  }

  /** The receipts that came for a segment before its answer did. */
  of(match: SegmentMatch, nowMs: number): OrphanReceipt[] {
    if (this.count === 0) return [];
    return candidateIds(match.messageId).flatMap((id, index) =>
      (this.byId.get(keyOf(match.carrier, id)) ?? []).filter(
        (orphan) =>
          isSameNumber(match.destination, orphan.source) || (index === 0 && nowMs - orphan.receivedAtMs < EARLY_MS),
      ),
    );
  }

  remove(orphan: OrphanReceipt): void {
    const key = keyOf(orphan.carrier, orphan.messageId);
    const list = this.byId.get(key) ?? [];
    const left = list.filter((one) => one.id !== orphan.id);
    this.count -= list.length - left.length;
    if (left.length > 0) this.byId.set(key, left);
    else this.byId.delete(key);
  }

  private drop(key: string): void {
    this.count -= this.byId.get(key)?.length ?? 0;
    this.byId.delete(key);
  }
}

/** Whether both are segments of one submission that share an id. */
export function hasSameId(one: SegmentMatch, other: SegmentMatch): boolean {
  return one.key === other.key && one.messageId === other.messageId;
}

function isSameNumber(a: string, b: string): boolean {
  const [one, other] = [a.replace(/\D/g, ''), b.replace(/\D/g, '')];
  if (one === other) return true;
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return short.length >= SAME_DIGITS && long.endsWith(short);
}

function push(map: Map<string, SegmentMatch[]>, key: string, match: SegmentMatch): void {
  const list = map.get(key);
  if (list) list.push(match);
  else map.set(key, [match]);
}

function keyOf(carrier: string, messageId: string): string {
  return `${carrier}\n${messageId}`;
}
