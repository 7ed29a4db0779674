import { decodeAddress, encodeAddresses } from '../smpp/address.js';
import { CommandStatus } from '../smpp/command-status.js';
import type { RequestOutcome } from '../smpp/outstanding.js';
import type { MessageBody, MessagePdu } from '../smpp/pdu.js';
import { formatReceipt } from '../smpp/receipt.js';
import type { SmppSession } from '../smpp/session.js';
import type { Responder } from '../smpp/session-options.js';
import { decodeText } from '../smpp/text.js';
import { deliveryOf } from './delivery-rule.js';
import type { ReceiptFate, ReceiptReceiver, ReceiptSubject } from './receipt-dispatcher.js';
import type { OfferedSubmission, Verdict } from './submission-intake.js';

/** registered_delivery, bits 1 and 0 (SMPP 3.4, 5.2.17). */
const RECEIPT_MASK = 0x03;
const RECEIPT_ALWAYS = 0x01;
const RECEIPT_ON_FAILURE = 0x02;

const STATUS_OF: Readonly<Record<Verdict, number>> = {
  accepted: CommandStatus.ESME_ROK,
  throttled: CommandStatus.ESME_RTHROTTLED,
  queue_full: CommandStatus.ESME_RMSGQFUL,
  failed: CommandStatus.ESME_RSYSERR,
  bad_source: CommandStatus.ESME_RINVSRCADR,
  bad_destination: CommandStatus.ESME_RINVDSTADR,
};

/** A submit_sm, which is answered through the responder. */
export function offeredBy(request: MessagePdu, responder: Responder): OfferedSubmission {
  return {
    source: request.sourceAddress,
    destination: request.destinationAddress,
    describe: () => describe(request),
    answer: (verdict, id) => responder.respond(request, STATUS_OF[verdict], id),
  };
}

/** A session that is bound to receive. */
export function receiverOf(session: SmppSession): ReceiptReceiver {
  return {
    get credit() {
      return session.credit;
    },
    send: (subject, done) => session.sendMessage(receiptBody(subject), (outcome) => done(fateOf(outcome))),
  };
}

function describe(request: MessagePdu) {
  const { text, concatenation } = decodeText(request);
  const destination = decodeAddress(request.destinationTon, request.destinationAddress);
  return {
    destination,
    source: decodeAddress(request.sourceTon, request.sourceAddress),
    text,
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

function fateOf(outcome: RequestOutcome): ReceiptFate {
  const status = outcome.kind === 'answered' ? outcome.commandStatus : CommandStatus.ESME_RX_T_APPN;
  if (status === CommandStatus.ESME_ROK) return 'taken';
  const isPermanent = status === CommandStatus.ESME_RX_P_APPN || status === CommandStatus.ESME_RX_R_APPN;
  return isPermanent ? 'refused' : 'again';
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
