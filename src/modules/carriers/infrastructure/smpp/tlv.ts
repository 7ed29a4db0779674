import { CommandStatus } from './command-status.js';
import { MalformedPdu, type OctetReader, type OctetWriter } from './octets.js';

/** Tags of the optional parameters that this product reads or writes (SMPP 3.4, 5.3.2). */
export const TlvTag = {
  receipted_message_id: 0x001e,
  sar_msg_ref_num: 0x020c,
  sar_total_segments: 0x020e,
  sar_segment_seqnum: 0x020f,
  sc_interface_version: 0x0210,
  message_payload: 0x0424,
  message_state: 0x0427,
} as const;

/** Optional parameters by tag, known or not; of a tag that comes twice the last counts. */
export type Tlvs = ReadonlyMap<number, Buffer>;

export const NO_TLVS: Tlvs = new Map();

const HEADER_OCTETS = 4;
const MAX_VALUE_OCTETS = 0xffff;

/** Octets that the optional parameters take in a PDU. */
export function tlvOctets(tlvs: Tlvs): number {
  let octets = 0;
  for (const value of tlvs.values()) octets += HEADER_OCTETS + value.length;
  return octets;
}

/** Writes optional parameters; the writer has room for them. */
export function encodeTlvs(writer: OctetWriter, tlvs: Tlvs): void {
  for (const [tag, value] of tlvs) {
    if (value.length > MAX_VALUE_OCTETS) throw malformed(tag, `exceeds ${MAX_VALUE_OCTETS} octets`);
    writer.uint16(tag);
    writer.uint16(value.length);
    writer.octets(value);
  }
}

/** Reads optional parameters up to the end of the PDU; the values are views of it. */
export function decodeTlvs(reader: OctetReader): Tlvs {
  if (reader.remaining === 0) return NO_TLVS;
  const tlvs = new Map<number, Buffer>();
  while (reader.remaining > 0) {
    if (reader.remaining < HEADER_OCTETS) {
      throw new MalformedPdu('the last optional parameter', 'is cut off', CommandStatus.ESME_RINVOPTPARSTREAM);
    }
    const tag = reader.uint16('tag');
    const length = reader.uint16('length');
    if (length > reader.remaining) throw malformed(tag, 'is longer than its PDU');
    tlvs.set(tag, reader.take('value', length, CommandStatus.ESME_RINVOPTPARSTREAM));
  }
  return tlvs;
}

/** The unsigned integer of one or two octets that a parameter holds, or null where it is absent or of another size. */
export function integerTlv(tlvs: Tlvs, tag: number): number | null {
  const value = tlvs.get(tag);
  if (value?.length === 1) return value.readUInt8(0);
  return value?.length === 2 ? value.readUInt16BE(0) : null;
}

/** The C-octet string that a parameter holds, with or without its NUL, or null where it is absent. */
export function stringTlv(tlvs: Tlvs, tag: number): string | null {
  const value = tlvs.get(tag);
  if (value === undefined) return null;
  const end = value.indexOf(0);
  return value.toString('latin1', 0, end < 0 ? value.length : end);
}

function malformed(tag: number, problem: string): MalformedPdu {
  const name = `optional parameter 0x${tag.toString(16).padStart(4, '0')}`;
  return new MalformedPdu(name, problem, CommandStatus.ESME_RINVOPTPARSTREAM);
}
