import { DelayLine } from './delay-line.js';
import type { Knobs } from './knobs.js';
import type { ReceiptDispatcher } from './receipt-dispatcher.js';
import { RecordConflict, type RecordedSubmission, type SubmissionRecord } from './submission-record.js';

/** What arrives within that time shares a write, an answer's packet and a packet of receipts. */
const COMMIT_AFTER_MS = 2;
/** About 60 MB; a carrier that owes more receipts says that its queue is full. */
const MAX_PENDING_RECEIPTS = 200_000;
/** How far apart an answer and its receipt stay where a delay could make them meet. */
const DISTANCE_MS = 25;
/** What an address may hold, so that a receipt can carry it back. */
const PRINTABLE = /^[ -~]*$/;

/** What a carrier answers to a submission. */
export type Verdict = 'accepted' | 'throttled' | 'queue_full' | 'failed' | 'bad_source' | 'bad_destination';

/** A submission as a client offers it, whatever it speaks. */
export interface OfferedSubmission {
  /** The addresses as they came. */
  readonly source: string;
  readonly destination: string;
  /** What the record is to keep of it. */
  describe(): Omit<RecordedSubmission, 'sequence' | 'id' | 'time'>;
  /** Tells the client; `id` is the carrier's of what it accepted, else empty. */
  answer(verdict: Verdict, id: string): void;
}

interface Answer {
  readonly offered: OfferedSubmission;
  readonly verdict: Verdict;
  readonly id: string;
}

export interface SubmissionIntakeOptions {
  readonly record: SubmissionRecord;
  readonly receipts: ReceiptDispatcher;
  readonly random: () => number;
  /** Another process writes the record; this carrier cannot go on. */
  readonly onConflict: (error: RecordConflict) => void;
  /** Whether answers and receipts travel apart, so that they may overtake one another; by default they do not. */
  readonly areReceiptsApart?: boolean;
}

/**
 * Takes the submissions of a simulated carrier. Those of a few milliseconds are recorded with one write; only then are
 * they answered and their receipts sent.
 */
export class SubmissionIntake {
  readonly counters = { submitted: 0, answered: 0, accepted: 0, throttled: 0, failed: 0, receipts_lost: 0 };
  private readonly answers = new DelayLine<Answer>((answers) => {
    for (const answer of answers) this.respond(answer);
  });
  private submissions: RecordedSubmission[] = [];
  private accepted: Answer[] = [];
  private settled: number[] = [];
  private commitScheduled = false;
  private throttleSecond = 0;
  private takenInSecond = 0;

  constructor(
    private readonly options: SubmissionIntakeOptions,
    private knobs: Knobs,
  ) {}

  setKnobs(knobs: Knobs): void {
    this.knobs = knobs;
  }

  /** Takes one submission, which is answered sooner or later. */
  take(offered: OfferedSubmission): void {
    this.counters.submitted += 1;
    const refusal = this.refusal(offered);
    if (refusal !== null) {
      this.answer({ offered, verdict: refusal, id: '' });
      return;
    }
    const sequence = this.options.record.lastSequence + this.submissions.length + 1;
    const id = this.options.record.idOf(sequence);
    this.submissions.push({ sequence, id, time: new Date().toISOString(), ...offered.describe() });
    this.accepted.push({ offered, verdict: 'accepted', id });
    this.scheduleCommit();
  }

  /** Records that the receipt of a submission needs no more care. */
  settle(sequence: number): void {
    this.settled.push(sequence);
    this.scheduleCommit();
  }

  /** Records what has not been yet, and forgets the answers that are not due. */
  stop(): void {
    this.commit();
    this.answers.clear();
  }

  private readonly commit = (): void => {
    this.commitScheduled = false;
    const { submissions, accepted, settled } = this;
    if (submissions.length + settled.length === 0) return;
    this.submissions = [];
    this.accepted = [];
    this.settled = [];
    try {
      this.options.record.append(submissions, settled);
    } catch (error) {
      this.settled = settled;
      this.refuse(accepted, error);
      return;
    }
    this.counters.accepted += accepted.length;
    this.publish(submissions, accepted);
  };

  private publish(submissions: readonly RecordedSubmission[], accepted: readonly Answer[]): void {
    if (this.knobs.receipt_before_response) for (const submission of submissions) this.report(submission, 0);
    for (const answer of accepted) this.answer(answer);
    if (this.knobs.receipt_before_response) return;
    const { latency_ms: latencyMs, receipt_delay_ms: receiptDelayMs } = this.knobs;
    const isApart = latencyMs > 0 || this.options.areReceiptsApart === true;
    const delayMs = receiptDelayMs + latencyMs + (isApart ? DISTANCE_MS : 0);
    for (const submission of submissions) this.report(submission, delayMs);
  }

  /** What could not be recorded was not taken. */
  private refuse(accepted: readonly Answer[], error: unknown): void {
    if (error instanceof RecordConflict) this.options.onConflict(error);
    else if (!(error instanceof Error && 'syscall' in error)) throw error;
    this.counters.failed += accepted.length;
    for (const answer of accepted) this.answer({ ...answer, verdict: 'failed', id: '' });
  }

  private scheduleCommit(): void {
    if (this.commitScheduled) return;
    this.commitScheduled = true;
    setTimeout(this.commit, COMMIT_AFTER_MS);
  }

  private refusal(offered: OfferedSubmission): Verdict | null {
    if (this.isThrottled()) {
      this.counters.throttled += 1;
      return 'throttled';
    }
    const verdict = this.fault(offered);
    if (verdict !== null) this.counters.failed += 1;
    return verdict;
  }

  private fault({ source, destination }: OfferedSubmission): Verdict | null {
    if (this.options.random() < this.knobs.error_rate) return 'failed';
    if (this.options.receipts.pending >= MAX_PENDING_RECEIPTS) return 'queue_full';
    if (!PRINTABLE.test(source)) return 'bad_source';
    if (destination === '' || !PRINTABLE.test(destination)) return 'bad_destination';
    return null;
  }

  private isThrottled(): boolean {
    if (this.knobs.throttle_tps === 0) return false;
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.throttleSecond) {
      this.throttleSecond = second;
      this.takenInSecond = 0;
    }
    this.takenInSecond += 1;
    return this.takenInSecond > this.knobs.throttle_tps;
  }

  private report(submission: RecordedSubmission, delayMs: number): void {
    if (!submission.receiptDue) return;
    if (this.options.random() < this.knobs.receipt_loss_rate) {
      this.counters.receipts_lost += 1;
      this.settle(submission.sequence);
      return;
    }
    const twice = this.options.random() < this.knobs.receipt_duplicate_rate;
    this.options.receipts.schedule(submission, delayMs, twice);
  }

  private answer(answer: Answer): void {
    const delayMs = this.knobs.latency_ms + (this.knobs.receipt_before_response ? DISTANCE_MS : 0);
    if (delayMs === 0) this.respond(answer);
    else this.answers.add(answer, delayMs);
  }

  private respond({ offered, verdict, id }: Answer): void {
    this.counters.answered += 1;
    offered.answer(verdict, id);
  }
}
