import { decodeAddress } from '../smpp/address.js';
import { CommandStatus } from '../smpp/command-status.js';
import type { MessagePdu } from '../smpp/pdu.js';
import type { Responder } from '../smpp/session-options.js';
import { decodeText } from '../smpp/text.js';
import { DelayLine } from './delay-line.js';
import { deliveryOf } from './delivery-rule.js';
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
/** registered_delivery, bits 1 and 0 (SMPP 3.4, 5.2.17). */
const RECEIPT_MASK = 0x03;
const RECEIPT_ALWAYS = 0x01;
const RECEIPT_ON_FAILURE = 0x02;

interface Answer {
  readonly responder: Responder;
  readonly request: MessagePdu;
  readonly commandStatus: number;
  readonly id: string;
}

export interface SubmissionIntakeOptions {
  readonly record: SubmissionRecord;
  readonly receipts: ReceiptDispatcher;
  readonly random: () => number;
  /** Another process writes the record; this carrier cannot go on. */
  readonly onConflict: (error: RecordConflict) => void;
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

  /** Takes one submit_sm, which is answered through the responder sooner or later. */
  take(request: MessagePdu, responder: Responder): void {
    this.counters.submitted += 1;
    const commandStatus = this.refusal(request);
    if (commandStatus !== null) {
      this.answer({ responder, request, commandStatus, id: '' });
      return;
    }
    const sequence = this.options.record.lastSequence + this.submissions.length + 1;
    const id = this.options.record.idOf(sequence);
    this.submissions.push(describe(request, sequence, id));
    this.accepted.push({ responder, request, commandStatus: CommandStatus.ESME_ROK, id });
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
    const delayMs = receiptDelayMs + (latencyMs === 0 ? 0 : latencyMs + DISTANCE_MS);
    for (const submission of submissions) this.report(submission, delayMs);
  }

  /** What could not be recorded was not taken. */
  private refuse(accepted: readonly Answer[], error: unknown): void {
    if (error instanceof RecordConflict) this.options.onConflict(error);
    else if (!(error instanceof Error && 'syscall' in error)) throw error;
    this.counters.failed += accepted.length;
    for (const answer of accepted) this.answer({ ...answer, commandStatus: CommandStatus.ESME_RSYSERR, id: '' });
  }

  private scheduleCommit(): void {
    if (this.commitScheduled) return;
    this.commitScheduled = true;
    setTimeout(this.commit, COMMIT_AFTER_MS);
  }

  private refusal(request: MessagePdu): number | null {
    if (this.isThrottled()) {
      this.counters.throttled += 1;
      return CommandStatus.ESME_RTHROTTLED;
    }
    const status = this.fault(request);
    if (status !== null) this.counters.failed += 1;
    return status;
  }

  private fault(request: MessagePdu): number | null {
    if (this.options.random() < this.knobs.error_rate) return CommandStatus.ESME_RSYSERR;
    if (this.options.receipts.pending >= MAX_PENDING_RECEIPTS) return CommandStatus.ESME_RMSGQFUL;
    if (!PRINTABLE.test(request.sourceAddress)) return CommandStatus.ESME_RINVSRCADR;
    if (request.destinationAddress === '' || !PRINTABLE.test(request.destinationAddress)) {
      return CommandStatus.ESME_RINVDSTADR;
    }
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

  private respond({ responder, request, commandStatus, id }: Answer): void {
    this.counters.answered += 1;
    responder.respond(request, commandStatus, id);
  }
}

function describe(request: MessagePdu, sequence: number, id: string): RecordedSubmission {
  const { text, concatenation } = decodeText(request);
  const destination = decodeAddress(request.destinationTon, request.destinationAddress);
  return {
    sequence,
    id,
    destination,
    source: decodeAddress(request.sourceTon, request.sourceAddress),
    text,
    time: new Date().toISOString(),
    reference: concatenation?.reference ?? null,
    part: concatenation?.part ?? null,
    parts: concatenation?.total ?? null,
    receiptDue: isReceiptDue(request.registeredDelivery & RECEIPT_MASK, destination),
  };
}

function isReceiptDue(registeredDelivery: number, destination: string): boolean {
  if (registeredDelivery === RECEIPT_ON_FAILURE) return deliveryOf(destination).state !== 'delivered';
  return registeredDelivery === RECEIPT_ALWAYS;
}
