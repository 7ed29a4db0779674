import type { MessageFields } from './pdu.js';
import { integerTlv, stringTlv, type Tlvs, TlvTag } from './tlv.js';

/** What a receipt says of its message. All but `enroute`, `accepted` and `unknown` are final. */
export type ReceiptState =
  | 'enroute'
  | 'delivered'
  | 'expired'
  | 'deleted'
  | 'undelivered'
  | 'accepted'
  | 'unknown'
  | 'rejected';

export interface Receipt {
  /** As the carrier wrote it; see candidateIds for what it may mean. */
  readonly messageId: string;
  readonly state: ReceiptState;
  /** The carrier's own error code, null where it gave none. */
  readonly error: string | null;
  /** The dates as the carrier wrote them, YYMMDDhhmm with or without seconds; see parseReceiptDate. */
  readonly submitDate: string | null;
  readonly doneDate: string | null;
}

/** esm_class, bits 5 to 2: what kind of deliver_sm this is (SMPP 3.4, 5.2.12). */
const ESM_TYPE_MASK = 0x3c;
const ESM_RECEIPT = 0x04;
const ESM_INTERMEDIATE_NOTIFICATION = 0x20;
export const ESM_CLASS_RECEIPT = ESM_RECEIPT;

/** By message_state (SMPP 3.4, 5.2.28) and the word that the text has for it (Appendix B). */
const STATES: ReadonlyArray<readonly [state: ReceiptState, messageState: number, stat: string]> = [
  ['enroute', 1, 'ENROUTE'],
  ['delivered', 2, 'DELIVRD'],
  ['expired', 3, 'EXPIRED'],
  ['deleted', 4, 'DELETED'],
  ['undelivered', 5, 'UNDELIV'],
  ['accepted', 6, 'ACCEPTD'],
  ['unknown', 7, 'UNKNOWN'],
  ['rejected', 8, 'REJECTD'],
];
/** Carriers spell the words out at times (DELIVERED, UNDELIVERABLE): these letters tell them apart. */
const STAT_LETTERS = 5;

/** No carrier's receipt is longer; the rest of a longer text is not looked at. */
const MAX_RECEIPT_CHARACTERS = 1024;
const MAX_ID_CHARACTERS = 64;

/**
 * Reads a deliver_sm as a delivery receipt. Null where it is none, or where nothing tells which message it is about.
 * The optional parameters receipted_message_id and message_state are believed before the text, and both together even
 * without the mark of a receipt in esm_class. The text is not: any phone can send one that looks like a receipt.
 */
export function parseReceipt(pdu: Pick<MessageFields, 'esmClass' | 'shortMessage' | 'tlvs'>): Receipt | null {
  const type = pdu.esmClass & ESM_TYPE_MASK;
  const marked = type === ESM_RECEIPT || type === ESM_INTERMEDIATE_NOTIFICATION;
  const receiptedId = printable(stringTlv(pdu.tlvs, TlvTag.receipted_message_id));
  const messageState = stateOfCode(integerTlv(pdu.tlvs, TlvTag.message_state));
  if (!marked && (receiptedId === null || messageState === null)) return null;
  const text = marked ? receiptText(pdu.shortMessage, pdu.tlvs) : '';
  const messageId = receiptedId ?? field(text, ID);
  if (messageId === null) return null;
  return {
    messageId,
    state: messageState ?? stateOfStat(field(text, STAT)),
    error: field(text, ERR),
    submitDate: field(text, SUBMIT_DATE),
    doneDate: field(text, DONE_DATE),
  };
}

/** The instant that a receipt's date names, read as UTC, or null where it is none. */
export function parseReceiptDate(date: string): Date | null {
  const [, year, month, day, hour, minute, second] = DATE.exec(date) ?? [];
  if (year === undefined) return null;
  const iso = `20${year}-${month}-${day}T${hour}:${minute}:${second ?? '00'}.000Z`;
  const parsed = new Date(iso);
  // A day that its month lacks would be moved into the next one.
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString() === iso ? parsed : null;
}

export interface ReceiptReport {
  readonly messageId: string;
  readonly state: ReceiptState;
  /** Three digits in the standard; longer ones are common. */
  readonly error: string;
  readonly submittedAt: Date;
  readonly doneAt: Date;
}

/** The fields of the deliver_sm that reports on a message: the text of Appendix B and the optional parameters. */
export function formatReceipt(report: ReceiptReport): Pick<MessageFields, 'esmClass' | 'shortMessage' | 'tlvs'> {
  const [, messageState, stat] = STATES.find(([state]) => state === report.state)!;
  const delivered = report.state === 'delivered' ? '001' : '000';
  const text =
    `id:${report.messageId} sub:001 dlvrd:${delivered} submit date:${formatReceiptDate(report.submittedAt)} ` +
    `done date:${formatReceiptDate(report.doneAt)} stat:${stat} err:${report.error} text:`;
  return {
    esmClass: ESM_RECEIPT,
    shortMessage: Buffer.from(text, 'latin1'),
    tlvs: new Map([
      [TlvTag.receipted_message_id, Buffer.from(`${report.messageId}\0`, 'latin1')],
      [TlvTag.message_state, Buffer.of(messageState)],
    ]),
  };
}

/** YYMMDDhhmm in UTC. */
export function formatReceiptDate(date: Date): string {
  return date.toISOString().slice(2, 16).replace(/\D/g, '');
}

/** The spelling in which ids are compared: lower case, without leading zeros or blanks around it. */
export function normalizeMessageId(id: string): string {
  const trimmed = id.trim().toLowerCase().replace(/^0+/, '');
  return trimmed === '' && id.includes('0') ? '0' : trimmed;
}

/**
 * The normal forms under which the message of a receipt may be known: as the id stands, then read as hexadecimal and
 * written in decimal, then the reverse. Carriers are known to answer in one base and report in the other.
 */
export function candidateIds(id: string): string[] {
  const exact = normalizeMessageId(id);
  const candidates = [exact];
  if (exact.length > 0 && exact.length <= MAX_ID_CHARACTERS) {
    if (/^[0-9a-f]+$/.test(exact)) candidates.push(BigInt(`0x${exact}`).toString(10));
    if (/^[0-9]+$/.test(exact)) candidates.push(BigInt(exact).toString(16));
  }
  return [...new Set(candidates)];
}

const ID = /(?:^|\s)id:\s*([!-~]{1,64})(?:\s|$)/i;
const STAT = /(?:^|\s)stat:\s*([A-Z]{1,16})(?:\s|$)/i;
const ERR = /(?:^|\s)err:\s*([!-~]{1,32})(?:\s|$)/i;
const SUBMIT_DATE = /(?:^|\s)submit date:\s*(\d{10,14})(?:\s|$)/i;
const DONE_DATE = /(?:^|\s)done date:\s*(\d{10,14})(?:\s|$)/i;
const TEXT = /(?:^|\s)text:/i;
const DATE = /^(?:20)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?$/;

/** The part of a receipt's text that the carrier wrote: what follows `text:` is the sender's and could say anything. */
function receiptText(shortMessage: Uint8Array, tlvs: Tlvs): string {
  const octets = shortMessage.length > 0 ? shortMessage : (tlvs.get(TlvTag.message_payload) ?? shortMessage);
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString(
    'latin1',
    0,
    MAX_RECEIPT_CHARACTERS,
  );
  const end = text.search(TEXT);
  return end < 0 ? text : text.slice(0, end);
}

function field(text: string, pattern: RegExp): string | null {
  return pattern.exec(text)?.[1] ?? null;
}

function printable(id: string | null): string | null {
  return id !== null && /^[!-~]{1,64}$/.test(id) ? id : null;
}

function stateOfCode(code: number | null): ReceiptState | null {
  return STATES.find(([, messageState]) => messageState === code)?.[0] ?? null;
}

function stateOfStat(stat: string | null): ReceiptState {
  const letters = stat?.toUpperCase().slice(0, STAT_LETTERS);
  return STATES.find(([, , word]) => word.slice(0, STAT_LETTERS) === letters)?.[0] ?? 'unknown';
}
