import { DelayLine } from './delay-line.js';
import { Fifo } from './fifo.js';
import type { Submission } from './simulated-carrier.js';

/** What a receipt says of its submission: many wait at a time, so that they leave the text behind. */
export type ReceiptSubject = Pick<Submission, 'sequence' | 'id' | 'destination' | 'source' | 'time'>;

/** What became of a receipt: its receiver has it, will not have it, or may have it later. */
export type ReceiptFate = 'taken' | 'refused' | 'again';

/** Whoever receipts are sent to, whatever it speaks. */
export interface ReceiptReceiver {
  /** How many receipts it takes right now. */
  readonly credit: number;
  send(subject: ReceiptSubject, done: (fate: ReceiptFate) => void): void;
}

interface PendingReceipt {
  readonly subject: ReceiptSubject;
  attempts: number;
  /** The second of two: nobody waits for it, and it is tried once. */
  readonly duplicate: boolean;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/** Over an hour of refusals. While no receiver is bound nothing is tried, so that waiting spends no attempt. */
const MAX_ATTEMPTS = 1_000;

/** Sends receipts to whatever receivers can take them, in turn, until each was accepted. */
export class ReceiptDispatcher {
  readonly counters = { sent: 0, confirmed: 0, refused: 0 };
  private readonly waiting = new DelayLine<PendingReceipt>((items) => this.ready(items));
  private readonly queue = new Fifo<PendingReceipt>();
  private receivers: ReceiptReceiver[] = [];
  private turn = 0;
  private open = 0;

  /** `onSettled` is told the sequence number of each submission whose receipt needs no more care. */
  constructor(private readonly onSettled: (sequence: number) => void) {}

  /** Receipts that wait for their time, a receiver, or an answer. */
  get pending(): number {
    return this.open;
  }

  attach(receiver: ReceiptReceiver): void {
    this.receivers.push(receiver);
    this.pump();
  }

  detach(receiver: ReceiptReceiver): void {
    this.receivers = this.receivers.filter((each) => each !== receiver);
  }

  /** Sends the receipt of a submission after that time, and again if `twice`. */
  schedule(submission: ReceiptSubject, delayMs: number, twice: boolean): void {
    const { sequence, id, destination, source, time } = submission;
    const subject = { sequence, id, destination, source, time };
    const receipts = [{ subject, attempts: 0, duplicate: false }];
    if (twice) receipts.push({ subject, attempts: 0, duplicate: true });
    this.open += receipts.length;
    if (delayMs === 0) this.ready(receipts);
    else for (const receipt of receipts) this.waiting.add(receipt, delayMs);
  }

  /** Forgets what is pending; whoever opens the record next finds it again. */
  stop(): void {
    this.waiting.clear();
    this.receivers = [];
  }

  private ready(receipts: readonly PendingReceipt[]): void {
    for (const receipt of receipts) this.queue.push(receipt);
    this.pump();
  }

  private pump(): void {
    while (this.queue.length > 0) {
      const receiver = this.nextReceiver();
      const receipt = receiver === null ? undefined : this.queue.shift();
      if (receiver === null || receipt === undefined) return;
      receipt.attempts += 1;
      this.counters.sent += 1;
      receiver.send(receipt.subject, (fate) => this.onFate(receipt, fate));
    }
  }

  private nextReceiver(): ReceiptReceiver | null {
    for (let tried = 0; tried < this.receivers.length; tried += 1) {
      this.turn = (this.turn + 1) % this.receivers.length;
      const receiver = this.receivers[this.turn]!;
      if (receiver.credit > 0) return receiver;
    }
    return null;
  }

  private onFate(receipt: PendingReceipt, fate: ReceiptFate): void {
    if (fate === 'taken') this.counters.confirmed += 1;
    if (fate === 'taken' || receipt.duplicate) this.settle(receipt);
    else if (fate === 'refused' || receipt.attempts >= MAX_ATTEMPTS) this.refuse(receipt);
    else this.waiting.add(receipt, Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(10, receipt.attempts - 1)));
    this.pump();
  }

  private refuse(receipt: PendingReceipt): void {
    this.counters.refused += 1;
    this.settle(receipt);
  }

  private settle(receipt: PendingReceipt): void {
    this.open -= 1;
    if (!receipt.duplicate) this.onSettled(receipt.subject.sequence);
  }
}
