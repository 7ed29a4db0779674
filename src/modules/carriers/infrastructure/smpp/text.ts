import { encodeGsm7 } from '../../../../shared/gsm7.js';
import { type Alphabet, readText, type Written } from '../../domain/alphabets.js';
import type { MessageFields } from './pdu.js';
import { integerTlv, type Tlvs, TlvTag } from './tlv.js';

export interface MessageText {
  readonly encoding: 'GSM-7' | 'UCS-2';
  /** The text of each segment; none is longer than its segment holds. */
  readonly parts: readonly string[];
  /** How a carrier wants several parts: with a header in each (`udh`), with sar_ parameters, or as one payload. */
  readonly concatenation: 'udh' | 'sar' | 'payload';
  /** Tells the messages between two addresses apart; 8 bits of it count in a header, 16 in a sar_ parameter. */
  readonly reference: number;
}

export type EncodedPart = Pick<MessageFields, 'esmClass' | 'dataCoding' | 'shortMessage' | 'tlvs'>;

export interface DecodedText {
  /** A character that the sender split between parts is lost in both; see readPart. */
  readonly text: string;
  /** Null for a message that stands alone. */
  readonly concatenation: { readonly reference: number; readonly part: number; readonly total: number } | null;
}

type Concatenation = DecodedText['concatenation'];

const ESM_CLASS_UDHI = 0x40;
const DATA_CODING_DEFAULT = 0x00;
const DATA_CODING_UCS2 = 0x08;
const MAX_PARTS = 255;
/** GSM 03.40, 9.2.3.24.1 and .8: concatenation with a reference of one octet and of two. */
const IE_CONCATENATION_8 = 0x00;
const IE_CONCATENATION_16 = 0x08;
const NO_OCTETS = Buffer.alloc(0);

/**
 * The fields of the submit_sm of each part: one for each, or a single one where `payload` is asked for. GSM-7 goes
 * unpacked, one septet per octet, as data_coding 0. Throws RangeError where a text cannot be encoded as it says.
 */
export function encodeText(message: MessageText): EncodedPart[] {
  const { parts, concatenation } = message;
  if (parts.length === 0 || parts.length > MAX_PARTS) throw new RangeError(`parts: 1 to ${MAX_PARTS} are possible`);
  const dataCoding = message.encoding === 'GSM-7' ? DATA_CODING_DEFAULT : DATA_CODING_UCS2;
  if (concatenation === 'payload' && parts.length > 1) {
    const payload = encodeCharacters(message.encoding, parts.join(''));
    const tlvs = new Map([[TlvTag.message_payload as number, payload]]);
    return [{ esmClass: 0, dataCoding, shortMessage: NO_OCTETS, tlvs }];
  }
  return parts.map((part, index) => {
    const characters = encodeCharacters(message.encoding, part);
    if (parts.length === 1) return { esmClass: 0, dataCoding, shortMessage: characters, tlvs: new Map() };
    if (concatenation === 'sar') {
      const tlvs = sarTlvs(message.reference, index + 1, parts.length);
      return { esmClass: 0, dataCoding, shortMessage: characters, tlvs };
    }
    const header = Buffer.of(5, IE_CONCATENATION_8, 3, message.reference & 0xff, parts.length, index + 1);
    const shortMessage = Buffer.concat([header, characters]);
    return { esmClass: ESM_CLASS_UDHI, dataCoding, shortMessage, tlvs: new Map() };
  });
}

/** A short_message, or a message_payload, without its header. */
export interface ReadPart extends Written {
  readonly concatenation: Concatenation;
}

/** The text of a submit_sm or deliver_sm and its place in a concatenated message, however it was concatenated. */
export function decodeText(pdu: EncodedPart): DecodedText {
  const part = readPart(pdu);
  return { text: readText([part]), concatenation: part.concatenation };
}

/** The characters of a submit_sm or deliver_sm as they came, and their place, so that parts can be read together. */
export function readPart(pdu: EncodedPart): ReadPart {
  const octets = pdu.shortMessage.length > 0 ? pdu.shortMessage : (pdu.tlvs.get(TlvTag.message_payload) ?? NO_OCTETS);
  const alphabet = alphabetOf(pdu.dataCoding);
  if ((pdu.esmClass & ESM_CLASS_UDHI) === 0) return { alphabet, octets, concatenation: sarConcatenation(pdu.tlvs) };
  // A header that claims more than there is takes everything with it.
  const headerLength = Math.min(octets.length, (octets[0] ?? 0) + 1);
  const concatenation = headerConcatenation(octets.subarray(1, headerLength)) ?? sarConcatenation(pdu.tlvs);
  return { alphabet, octets: octets.subarray(headerLength), concatenation };
}

function encodeCharacters(encoding: MessageText['encoding'], text: string): Buffer {
  if (encoding === 'UCS-2') return Buffer.from(text, 'utf16le').swap16();
  const septets = encodeGsm7(text);
  if (septets === null) throw new RangeError('parts: a character is not in the GSM 7-bit alphabet');
  return Buffer.from(septets.buffer, septets.byteOffset, septets.length);
}

/** By data_coding (SMPP 3.4, 5.2.19). */
const ALPHABET_BY_CODING: ReadonlyMap<number, Alphabet> = new Map([
  [DATA_CODING_DEFAULT, 'gsm7'],
  [0x01, 'ascii'],
  [0x03, 'latin1'],
  [0x05, 'shift-jis'],
  [0x06, 'cyrillic'],
  [0x07, 'hebrew'],
  [DATA_CODING_UCS2, 'ucs2'],
  [0x0e, 'euc-kr'],
]);

/** Above 0x0F, the groups of GSM 03.38, 4: with a message class, and of waiting messages. 8-bit data reads as Latin-1. */
function alphabetOf(dataCoding: number): Alphabet {
  const group = dataCoding >> 4;
  if (group === 0) return ALPHABET_BY_CODING.get(dataCoding) ?? 'latin1';
  if (group === 0xf) return (dataCoding & 0x04) === 0 ? 'gsm7' : 'latin1';
  if (group === 0xc || group === 0xd) return 'gsm7';
  if (group === 0xe) return 'ucs2';
  if (group > 3) return 'latin1';
  const kind = dataCoding & 0x0c;
  return kind === 0 ? 'gsm7' : kind === 0x08 ? 'ucs2' : 'latin1';
}

function sarTlvs(reference: number, part: number, total: number): Tlvs {
  return new Map([
    [TlvTag.sar_msg_ref_num, Buffer.of((reference >> 8) & 0xff, reference & 0xff)],
    [TlvTag.sar_total_segments, Buffer.of(total)],
    [TlvTag.sar_segment_seqnum, Buffer.of(part)],
  ]);
}

function sarConcatenation(tlvs: Tlvs): Concatenation {
  const reference = integerTlv(tlvs, TlvTag.sar_msg_ref_num);
  const total = integerTlv(tlvs, TlvTag.sar_total_segments);
  const part = integerTlv(tlvs, TlvTag.sar_segment_seqnum);
  return reference === null ? null : checked(reference, part ?? 0, total ?? 0);
}

/** Walks the information elements of a user data header; one that is cut off ends the walk. */
function headerConcatenation(header: Uint8Array): Concatenation {
  const octets = Buffer.from(header.buffer, header.byteOffset, header.length);
  for (let at = 0; at + 2 <= octets.length; at += 2 + octets[at + 1]!) {
    const value = octets.subarray(at + 2, at + 2 + octets[at + 1]!);
    if (octets[at] === IE_CONCATENATION_8 && value.length === 3) return checked(value[0]!, value[2]!, value[1]!);
    if (octets[at] === IE_CONCATENATION_16 && value.length === 4) {
      return checked(value.readUInt16BE(0), value[3]!, value[2]!);
    }
  }
  return null;
}

/** A part that cannot be one of its total stands alone (GSM 03.40, 9.2.3.24.1). */
function checked(reference: number, part: number, total: number): Concatenation {
  return part >= 1 && part <= total ? { reference, part, total } : null;
}
