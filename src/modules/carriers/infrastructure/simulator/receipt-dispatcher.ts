import { encodeAddresses } from '../smpp/address.js';
import { CommandStatus } from '../smpp/command-status.js';
import type { RequestOutcome } from '../smpp/outstanding.js';
import type { MessageBody } from '../smpp/pdu.js';
import { formatReceipt } from '../smpp/receipt.js';
import type { SmppSession } from '../smpp/session.js';
import { DelayLine } from './delay-line.js';
import { deliveryOf } from './delivery-rule.js';
import { Fifo } from './fifo.js';
import type { Submission } from './simulated-carrier.js';

/** What a receipt says of its submission: many wait at a time, so that they leave the text behind. */
export type ReceiptSubject = Pick<Submission, 'sequence' | 'id' | 'destination' | 'source' | 'time'>;

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

/** Sends through whatever sessions can carry it, in turn; receipts until each was accepted. */
export class ReceiptDispatcher {
  readonly counters = { sent: 0, confirmed: 0, refused: 0 };
  private readonly waiting = new DelayLine<PendingReceipt>((items) => this.ready(items));
  private readonly queue = new Fifo<PendingReceipt>();
  private receivers: SmppSession[] = [];
  private turn = 0;
  private open = 0;

  /** `onSettled` is told the sequence number of each submission whose receipt needs no more care. */
  constructor(private readonly onSettled: (sequence: number) => void) {}

  /** Receipts that wait for their time, a receiver, or an answer. */
  get pending(): number {
    return this.open;
  }

  /** A session that is bound to receive. */
  attach(session: SmppSession): void {
    this.receivers.push(session);
    this.pump();
  }

  detach(session: SmppSession): void {
    this.receivers = this.receivers.filter((receiver) => receiver !== session);
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

  /** Sends one message through the next session that has room; `unsent` where none has. */
  send(body: MessageBody): Promise<RequestOutcome> {
    const session = this.nextReceiver();
    if (session === null) return Promise.resolve({ kind: 'unsent', reason: 'no client is bound to receive' });
    return new Promise((resolve) => session.sendMessage(body, resolve));
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
      const session = this.nextReceiver();
      const receipt = session === null ? undefined : this.queue.shift();
      if (session === null || receipt === undefined) return;
      receipt.attempts += 1;
      this.counters.sent += 1;
      session.sendMessage(receiptBody(receipt.subject), (outcome) => this.onOutcome(receipt, outcome));
    }
  }

  private nextReceiver(): SmppSession | null {
    for (let tried = 0; tried < this.receivers.length; tried += 1) {
      this.turn = (this.turn + 1) % this.receivers.length;
      const session = this.receivers[this.turn]!;
      if (session.credit > 0) return session;
    }
    return null;
  }

  private onOutcome(receipt: PendingReceipt, outcome: RequestOutcome): void {
    const status = outcome.kind === 'answered' ? outcome.commandStatus : CommandStatus.ESME_RX_T_APPN;
    if (status === CommandStatus.ESME_ROK) this.counters.confirmed += 1;
    if (status === CommandStatus.ESME_ROK || receipt.duplicate) this.settle(receipt);
    else if (isPermanent(status) || receipt.attempts >= MAX_ATTEMPTS) this.refuse(receipt);
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

function isPermanent(commandStatus: number): boolean {
  return commandStatus === CommandStatus.ESME_RX_P_APPN || commandStatus === CommandStatus.ESME_RX_R_APPN;
}

function receiptBody(subject: ReceiptSubject): MessageBody {
  const report = deliveryOf(subject.destination);
  const submittedAt = new Date(subject.time);
  return {
    command: 'deliver_sm',
    serviceType: '',
    ...encodeAddresses(subject.destination, subject.source),
    protocolId: 0,
    priorityFlag: 0,
    scheduleDeliveryTime: '',
    validityPeriod: '',
    registeredDelivery: 0,
    replaceIfPresent: 0,
    dataCoding: 0,
    defaultMessageId: 0,
    ...formatReceipt({ messageId: subject.id, ...report, submittedAt, doneAt: new Date() }),
  };
}
