import fc from 'fast-check';
import { CommandStatus } from './command-status.js';
import { MalformedPdu, OctetWriter } from './octets.js';
import { CommandId, decodePdu, encodePdu, type MessageBody, type PduBody } from './pdu.js';
import { bindBody, message, octetsOf } from './test-support/wire.js';
import { type Tlvs, TlvTag } from './tlv.js';

const octet = fc.integer({ min: 0, max: 255 });
const octets = (maxLength: number) => fc.uint8Array({ maxLength }).map((value) => Buffer.from(value));
const ascii = (maxLength: number) =>
  fc.string({ unit: fc.integer({ min: 1, max: 0x7f }).map((code) => String.fromCharCode(code)), maxLength });
const tlvs: fc.Arbitrary<Tlvs> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 0xffff }), octets(300)), { maxLength: 5 })
  .map((entries) => new Map(entries));

const messageBody: fc.Arbitrary<MessageBody> = fc.record({
  command: fc.constantFrom('submit_sm' as const, 'deliver_sm' as const),
  serviceType: ascii(5),
  sourceTon: octet,
  sourceNpi: octet,
  sourceAddress: ascii(20),
  destinationTon: octet,
  destinationNpi: octet,
  destinationAddress: ascii(20),
  esmClass: octet,
  protocolId: octet,
  priorityFlag: octet,
  scheduleDeliveryTime: ascii(16),
  validityPeriod: ascii(16),
  registeredDelivery: octet,
  replaceIfPresent: octet,
  dataCoding: octet,
  defaultMessageId: octet,
  shortMessage: octets(254),
  tlvs,
});

const body: fc.Arbitrary<PduBody> = fc.oneof(
  messageBody,
  fc.record({
    command: fc.constantFrom('bind_receiver' as const, 'bind_transmitter' as const, 'bind_transceiver' as const),
    systemId: ascii(15),
    password: ascii(8),
    systemType: ascii(12),
    interfaceVersion: octet,
    addressTon: octet,
    addressNpi: octet,
    addressRange: ascii(40),
  }),
  fc.record({
    command: fc.constantFrom(
      'bind_receiver_resp' as const,
      'bind_transmitter_resp' as const,
      'bind_transceiver_resp' as const,
    ),
    systemId: ascii(15),
    tlvs,
  }),
  fc.record({
    command: fc.constantFrom('submit_sm_resp' as const, 'deliver_sm_resp' as const),
    messageId: ascii(64),
  }),
  fc.record({
    command: fc.constantFrom(
      'unbind' as const,
      'unbind_resp' as const,
      'enquire_link' as const,
      'enquire_link_resp' as const,
      'generic_nack' as const,
    ),
  }),
);

function malformed(frame: Buffer): MalformedPdu {
  try {
    decodePdu(frame);
  } catch (error) {
    if (error instanceof MalformedPdu) return error;
    throw error;
  }
  throw new Error('the PDU was read');
}

/** The frame with its length set to what it is. */
function resized(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  copy.writeUInt32BE(copy.length, 0);
  return copy;
}

test('what is written is read back', () => {
  fc.assert(
    fc.property(body, fc.integer({ min: 1, max: 0x7fffffff }), (written, sequenceNumber) => {
      const frame = octetsOf(written, sequenceNumber);
      expect(frame.readUInt32BE(0)).toBe(frame.length);
      expect(decodePdu(frame)).toEqual({ ...written, sequenceNumber, commandStatus: 0 });
    }),
  );
});

test('octets of other makers are read: a submit_sm as the standard lays it out', () => {
  const header = '00000000 00000004 00000000 00000005';
  const source = '01 01 3135353535353530313030 00';
  const destination = '01 01 3135303035353530303036 00';
  const flags = '40 00 00 00 00 01 00 08 00';
  const text = '04 0041 0042';
  const hex = [header, '00', source, destination, flags, text].join('').replaceAll(' ', '');
  const frame = resized(Buffer.from(hex, 'hex'));
  expect(decodePdu(frame)).toMatchObject({
    command: 'submit_sm',
    sequenceNumber: 5,
    sourceTon: 1,
    sourceAddress: '15555550100',
    destinationAddress: '15005550006',
    esmClass: 0x40,
    registeredDelivery: 1,
    dataCoding: 8,
    shortMessage: Buffer.from([0x00, 0x41, 0x00, 0x42]),
  });
});

test('a PDU that is cut off anywhere is malformed or shorter, never read past its end', () => {
  fc.assert(
    fc.property(body, fc.nat(), (written, at) => {
      const frame = octetsOf(written);
      const cut = resized(frame.subarray(0, 16 + (at % (frame.length - 15))));
      try {
        decodePdu(cut);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedPdu);
      }
    }),
  );
});

test('random octets behind a known command are read or malformed', () => {
  const ids = fc.constantFrom(...Object.values(CommandId));
  fc.assert(
    fc.property(ids, octets(200), (id, rest) => {
      const header = Buffer.alloc(16);
      header.writeUInt32BE(id, 4);
      try {
        decodePdu(resized(Buffer.concat([header, rest])));
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedPdu);
      }
    }),
  );
});

test('a payload and sar parameters are read from the optional parameters', () => {
  const written = new Map([
    [TlvTag.message_payload as number, Buffer.alloc(40_000, 'x')],
    [TlvTag.sar_msg_ref_num, Buffer.of(1, 2)],
  ]);
  const read = decodePdu(octetsOf(message('submit_sm', { shortMessage: Buffer.alloc(0), tlvs: written })));
  expect(read).toMatchObject({ tlvs: written });
});

test('an unknown command is told from a malformed one', () => {
  const query = octetsOf({ command: 'enquire_link' });
  query.writeUInt32BE(0x03, 4);
  expect(malformed(query)).toMatchObject({ field: 'command_id', commandStatus: CommandStatus.ESME_RINVCMDID });
});

test('each malformed field is named, with the status that it is answered with', () => {
  const frame = octetsOf(message('submit_sm', { sourceAddress: 'a', destinationAddress: 'b', tlvs: new Map() }));
  const smLength = frame.length - 'hello'.length - 1;
  const tooLong = Buffer.concat([frame.subarray(0, smLength), Buffer.of(255), Buffer.alloc(255)]);
  expect(malformed(resized(tooLong))).toMatchObject({ field: 'short_message', commandStatus: 0x01 });
  const lying = Buffer.from(frame);
  lying[smLength] = 6;
  expect(malformed(lying)).toMatchObject({ field: 'short_message', commandStatus: 0x01 });
  const endless = Buffer.concat([frame.subarray(0, 19), Buffer.alloc(40, 'a')]);
  expect(malformed(resized(endless))).toMatchObject({ field: 'source_addr', commandStatus: 0x0a });
  const halfTlv = Buffer.concat([frame, Buffer.of(4, 0x24, 0)]);
  expect(malformed(resized(halfTlv))).toMatchObject({ commandStatus: 0xc0 });
  const longTlv = Buffer.concat([frame, Buffer.of(4, 0x24, 0, 2, 1)]);
  expect(malformed(resized(longTlv))).toMatchObject({ field: 'optional parameter 0x0424', commandStatus: 0xc0 });
  const password = octetsOf(bindBody('bind_transceiver', 'x'.repeat(64)));
  password.fill(0x61, 16);
  expect(malformed(password)).toMatchObject({ field: 'system_id', commandStatus: 0x0f });
});

test('a response may lack its body, whatever its status', () => {
  for (const id of [CommandId.submit_sm_resp, CommandId.deliver_sm_resp, CommandId.bind_transceiver_resp]) {
    const frame = octetsOf({ command: 'enquire_link' });
    frame.writeUInt32BE(id, 4);
    expect(Object.values(decodePdu(frame))).toContain('');
  }
  expect(octetsOf({ command: 'submit_sm_resp', messageId: 'unsaid' }, 1, 0x58)).toHaveLength(16);
});

test('a field that does not fit is refused by name and leaves nothing behind', () => {
  const writer = new OctetWriter();
  const refused: ReadonlyArray<readonly [string, Partial<MessageBody>]> = [
    ['destination_addr', { destinationAddress: 'x'.repeat(21) }],
    ['source_addr', { sourceAddress: 'a\0b' }],
    ['source_addr', { sourceAddress: 'Grüezi' }],
    ['short_message', { shortMessage: Buffer.alloc(255) }],
    ['esm_class', { esmClass: 256 }],
    ['data_coding', { dataCoding: Number.NaN }],
    ['optional parameter 0x0424', { tlvs: new Map([[0x0424, Buffer.alloc(65_536)]]) }],
  ];
  for (const [field, fields] of refused) {
    expect(() => encodePdu(writer, message('submit_sm', fields), 1)).toThrow(expect.objectContaining({ field }));
    expect(writer.size).toBe(0);
  }
});

test('batches share their memory and keep what they were', () => {
  const writer = new OctetWriter();
  const batches: Buffer[] = [];
  const expected: Buffer[] = [];
  for (let i = 1; i <= 2_000; i += 1) {
    const pdu = message('submit_sm', { shortMessage: Buffer.alloc(i % 255, i & 0xff) });
    encodePdu(writer, pdu, i);
    expected.push(octetsOf(pdu, i));
    if (i % 7 === 0) batches.push(writer.take());
  }
  batches.push(writer.take());
  expect(Buffer.concat(batches).equals(Buffer.concat(expected))).toBe(true);
});
