import { CommandStatus } from './command-status.js';
import { MalformedPdu, OctetReader, type OctetWriter } from './octets.js';
import { decodeTlvs, encodeTlvs, type Tlvs, tlvOctets } from './tlv.js';

/** The commands this product speaks (SMPP 3.4, 5.1.2.1). A response is its request with the highest bit set. */
export const CommandId = {
  bind_receiver: 0x01,
  bind_transmitter: 0x02,
  submit_sm: 0x04,
  deliver_sm: 0x05,
  unbind: 0x06,
  bind_transceiver: 0x09,
  enquire_link: 0x15,
  generic_nack: 0x80000000,
  bind_receiver_resp: 0x80000001,
  bind_transmitter_resp: 0x80000002,
  submit_sm_resp: 0x80000004,
  deliver_sm_resp: 0x80000005,
  unbind_resp: 0x80000006,
  bind_transceiver_resp: 0x80000009,
  enquire_link_resp: 0x80000015,
} as const;

export type Command = keyof typeof CommandId;
export type BindCommand = 'bind_receiver' | 'bind_transmitter' | 'bind_transceiver';
export type MessageCommand = 'submit_sm' | 'deliver_sm';
export type RequestCommand = BindCommand | MessageCommand | 'unbind' | 'enquire_link';

export interface BindBody {
  readonly command: BindCommand;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  readonly interfaceVersion: number;
  readonly addressTon: number;
  readonly addressNpi: number;
  readonly addressRange: string;
}

export interface BindRespBody {
  readonly command: `${BindCommand}_resp`;
  readonly systemId: string;
  readonly tlvs: Tlvs;
}

export interface MessageFields {
  readonly serviceType: string;
  readonly sourceTon: number;
  readonly sourceNpi: number;
  readonly sourceAddress: string;
  readonly destinationTon: number;
  readonly destinationNpi: number;
  readonly destinationAddress: string;
  readonly esmClass: number;
  readonly protocolId: number;
  readonly priorityFlag: number;
  readonly scheduleDeliveryTime: string;
  readonly validityPeriod: string;
  readonly registeredDelivery: number;
  readonly replaceIfPresent: number;
  readonly dataCoding: number;
  readonly defaultMessageId: number;
  /** At most 254 octets; decoded, a view of the received octets. */
  readonly shortMessage: Uint8Array;
  readonly tlvs: Tlvs;
}

export interface MessageBody extends MessageFields {
  readonly command: MessageCommand;
}

export interface MessageRespBody {
  readonly command: `${MessageCommand}_resp`;
  readonly messageId: string;
}

export interface PlainBody {
  readonly command: 'unbind' | 'enquire_link';
}

export interface PlainRespBody {
  readonly command: 'unbind_resp' | 'enquire_link_resp' | 'generic_nack';
}

export type RequestBody = BindBody | MessageBody | PlainBody;
export type ResponseBody = BindRespBody | MessageRespBody | PlainRespBody;
export type PduBody = RequestBody | ResponseBody;

export interface PduHeader {
  readonly commandStatus: number;
  readonly sequenceNumber: number;
}

export type Pdu = PduHeader & PduBody;
export type BindPdu = PduHeader & BindBody;
export type MessagePdu = PduHeader & MessageBody;
export type ResponsePdu = PduHeader & ResponseBody;

export const INTERFACE_VERSION = 0x34;

const HEADER_OCTETS = 16;
const RESPONSE_BIT = 0x80000000;
/** Mandatory fields of the largest body; strings are checked one by one against what the standard allows them. */
const MAX_MANDATORY_OCTETS = 512;
const MAX_SHORT_MESSAGE_OCTETS = 254;
const MAX_ADDRESS_OCTETS = 21;
const MAX_TIME_OCTETS = 17;
const MAX_MESSAGE_ID_OCTETS = 65;
/** The standard's 16 and 9 are passed over in the field; a peer decides by itself whether it takes longer ones. */
const MAX_CREDENTIAL_OCTETS = 65;
const MAX_SYSTEM_TYPE_OCTETS = 13;
const MAX_ADDRESS_RANGE_OCTETS = 41;
const MAX_SERVICE_TYPE_OCTETS = 6;

const COMMAND_BY_ID = new Map(Object.entries(CommandId).map(([command, id]) => [id as number, command as Command]));

/** Whether a command_id is that of a response, known or not. */
export function isResponseId(commandId: number): boolean {
  return (commandId & RESPONSE_BIT) !== 0;
}

/** The request that a command_id stands for or answers; null for generic_nack, which answers any, and the unknown. */
export function requestCommand(commandId: number): RequestCommand | null {
  return (COMMAND_BY_ID.get(commandId & ~RESPONSE_BIT) as RequestCommand | undefined) ?? null;
}

/** Writes one PDU. Throws MalformedPdu, with nothing written, where a field does not fit the standard. */
export function encodePdu(writer: OctetWriter, body: PduBody, sequenceNumber: number, commandStatus = 0): void {
  const start = writer.size;
  writer.reserve(HEADER_OCTETS + MAX_MANDATORY_OCTETS + ('tlvs' in body ? tlvOctets(body.tlvs) : 0));
  writer.uint32(0);
  writer.uint32(CommandId[body.command]);
  writer.uint32(commandStatus);
  writer.uint32(sequenceNumber);
  try {
    encodeBody(writer, body, commandStatus);
  } catch (error) {
    writer.truncate(start);
    throw error;
  }
  writer.overwriteUint32(start, writer.size - start);
}

/**
 * Reads one PDU, given whole. Throws MalformedPdu where it breaks the standard, with the status to answer: 0x03 for a
 * command that is unknown. Buffers of the result are views of the frame.
 */
export function decodePdu(frame: Buffer): Pdu {
  const command = COMMAND_BY_ID.get(frame.readUInt32BE(4));
  const commandStatus = frame.readUInt32BE(8);
  const sequenceNumber = frame.readUInt32BE(12);
  const reader = new OctetReader(frame, HEADER_OCTETS);
  switch (command) {
    case 'submit_sm':
    case 'deliver_sm':
      return decodeMessage(reader, command, commandStatus, sequenceNumber);
    case 'submit_sm_resp':
    case 'deliver_sm_resp':
      return { command, commandStatus, sequenceNumber, messageId: optionalId(reader, 'message_id') };
    case 'bind_receiver':
    case 'bind_transmitter':
    case 'bind_transceiver':
      return { command, commandStatus, sequenceNumber, ...decodeBind(reader) };
    case 'bind_receiver_resp':
    case 'bind_transmitter_resp':
    case 'bind_transceiver_resp': {
      const systemId = optionalId(reader, 'system_id');
      return { command, commandStatus, sequenceNumber, systemId, tlvs: decodeTlvs(reader) };
    }
    case undefined:
      throw new MalformedPdu('command_id', 'is unknown', CommandStatus.ESME_RINVCMDID);
    default:
      return { command, commandStatus, sequenceNumber };
  }
}

function encodeBody(writer: OctetWriter, body: PduBody, commandStatus: number): void {
  switch (body.command) {
    case 'submit_sm':
    case 'deliver_sm':
      encodeMessage(writer, body);
      return;
    case 'submit_sm_resp':
    case 'deliver_sm_resp':
      // A response that reports an error has no body (SMPP 3.4, 4.4.2).
      if (commandStatus !== 0) return;
      writer.cString('message_id', body.messageId, MAX_MESSAGE_ID_OCTETS, CommandStatus.ESME_RSYSERR);
      return;
    case 'bind_receiver':
    case 'bind_transmitter':
    case 'bind_transceiver':
      encodeBind(writer, body);
      return;
    case 'bind_receiver_resp':
    case 'bind_transmitter_resp':
    case 'bind_transceiver_resp':
      if (commandStatus !== 0) return;
      writer.cString('system_id', body.systemId, MAX_CREDENTIAL_OCTETS, CommandStatus.ESME_RSYSERR);
      encodeTlvs(writer, body.tlvs);
      return;
    default:
  }
}

function encodeBind(writer: OctetWriter, body: BindBody): void {
  writer.cString('system_id', body.systemId, MAX_CREDENTIAL_OCTETS, CommandStatus.ESME_RINVSYSID);
  writer.cString('password', body.password, MAX_CREDENTIAL_OCTETS, CommandStatus.ESME_RINVPASWD);
  writer.cString('system_type', body.systemType, MAX_SYSTEM_TYPE_OCTETS, CommandStatus.ESME_RINVSYSTYP);
  writer.uint8('interface_version', body.interfaceVersion);
  writer.uint8('addr_ton', body.addressTon);
  writer.uint8('addr_npi', body.addressNpi);
  writer.cString('address_range', body.addressRange, MAX_ADDRESS_RANGE_OCTETS, CommandStatus.ESME_RBINDFAIL);
}

function decodeBind(reader: OctetReader): Omit<BindBody, 'command'> {
  return {
    systemId: reader.cString('system_id', MAX_CREDENTIAL_OCTETS, CommandStatus.ESME_RINVSYSID),
    password: reader.cString('password', MAX_CREDENTIAL_OCTETS, CommandStatus.ESME_RINVPASWD),
    systemType: reader.cString('system_type', MAX_SYSTEM_TYPE_OCTETS, CommandStatus.ESME_RINVSYSTYP),
    interfaceVersion: reader.uint8('interface_version'),
    addressTon: reader.uint8('addr_ton'),
    addressNpi: reader.uint8('addr_npi'),
    addressRange: reader.cString('address_range', MAX_ADDRESS_RANGE_OCTETS, CommandStatus.ESME_RBINDFAIL),
  };
}

function encodeMessage(writer: OctetWriter, body: MessageBody): void {
  writer.cString('service_type', body.serviceType, MAX_SERVICE_TYPE_OCTETS, CommandStatus.ESME_RINVSERTYP);
  writer.uint8('source_addr_ton', body.sourceTon);
  writer.uint8('source_addr_npi', body.sourceNpi);
  writer.cString('source_addr', body.sourceAddress, MAX_ADDRESS_OCTETS, CommandStatus.ESME_RINVSRCADR);
  writer.uint8('dest_addr_ton', body.destinationTon);
  writer.uint8('dest_addr_npi', body.destinationNpi);
  writer.cString('destination_addr', body.destinationAddress, MAX_ADDRESS_OCTETS, CommandStatus.ESME_RINVDSTADR);
  writer.uint8('esm_class', body.esmClass);
  writer.uint8('protocol_id', body.protocolId);
  writer.uint8('priority_flag', body.priorityFlag);
  writer.cString('schedule_delivery_time', body.scheduleDeliveryTime, MAX_TIME_OCTETS, CommandStatus.ESME_RINVSCHED);
  writer.cString('validity_period', body.validityPeriod, MAX_TIME_OCTETS, CommandStatus.ESME_RINVEXPIRY);
  writer.uint8('registered_delivery', body.registeredDelivery);
  writer.uint8('replace_if_present_flag', body.replaceIfPresent);
  writer.uint8('data_coding', body.dataCoding);
  writer.uint8('sm_default_msg_id', body.defaultMessageId);
  const length = body.shortMessage.length;
  if (length > MAX_SHORT_MESSAGE_OCTETS) throw messageTooLong();
  writer.uint8('sm_length', length);
  writer.octets(body.shortMessage);
  encodeTlvs(writer, body.tlvs);
}

function decodeMessage(
  reader: OctetReader,
  command: MessageCommand,
  commandStatus: number,
  sequenceNumber: number,
): MessagePdu {
  return {
    command,
    commandStatus,
    sequenceNumber,
    serviceType: reader.cString('service_type', MAX_SERVICE_TYPE_OCTETS, CommandStatus.ESME_RINVSERTYP),
    sourceTon: reader.uint8('source_addr_ton'),
    sourceNpi: reader.uint8('source_addr_npi'),
    sourceAddress: reader.cString('source_addr', MAX_ADDRESS_OCTETS, CommandStatus.ESME_RINVSRCADR),
    destinationTon: reader.uint8('dest_addr_ton'),
    destinationNpi: reader.uint8('dest_addr_npi'),
    destinationAddress: reader.cString('destination_addr', MAX_ADDRESS_OCTETS, CommandStatus.ESME_RINVDSTADR),
    esmClass: reader.uint8('esm_class'),
    protocolId: reader.uint8('protocol_id'),
    priorityFlag: reader.uint8('priority_flag'),
    scheduleDeliveryTime: reader.cString('schedule_delivery_time', MAX_TIME_OCTETS, CommandStatus.ESME_RINVSCHED),
    validityPeriod: reader.cString('validity_period', MAX_TIME_OCTETS, CommandStatus.ESME_RINVEXPIRY),
    registeredDelivery: reader.uint8('registered_delivery'),
    replaceIfPresent: reader.uint8('replace_if_present_flag'),
    dataCoding: reader.uint8('data_coding'),
    defaultMessageId: reader.uint8('sm_default_msg_id'),
    shortMessage: decodeShortMessage(reader),
    tlvs: decodeTlvs(reader),
  };
}

function decodeShortMessage(reader: OctetReader): Buffer {
  const length = reader.uint8('sm_length');
  if (length > MAX_SHORT_MESSAGE_OCTETS) throw messageTooLong();
  return reader.take('short_message', length, CommandStatus.ESME_RINVMSGLEN);
}

/** Carriers leave the body away in a response that reports an error, and some of them in others too. */
function optionalId(reader: OctetReader, field: string): string {
  return reader.remaining === 0 ? '' : reader.cString(field, MAX_MESSAGE_ID_OCTETS, CommandStatus.ESME_RINVCMDLEN);
}

function messageTooLong(): MalformedPdu {
  const problem = `exceeds ${MAX_SHORT_MESSAGE_OCTETS} octets`;
  return new MalformedPdu('short_message', problem, CommandStatus.ESME_RINVMSGLEN);
}
