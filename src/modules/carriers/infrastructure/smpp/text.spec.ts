import fc from 'fast-check';
import { decodeText, encodeText, type MessageText } from './text.js';
import { TlvTag } from './tlv.js';

const gsmText = fc.string({ unit: fc.constantFrom(...'abc @£Δé{}€[]~\\^|\n'), maxLength: 60 });
const anyText = fc.string({ unit: 'binary', maxLength: 60 });
const concatenation = fc.constantFrom('udh' as const, 'sar' as const, 'payload' as const);

function message(fields: Partial<MessageText>): MessageText {
  return { encoding: 'GSM-7', parts: ['hello'], concatenation: 'udh', reference: 0x1234, ...fields };
}

test('a single GSM-7 text goes unpacked, escapes included', () => {
  const [part] = encodeText(message({ parts: ['a@€'] }));
  expect(part).toMatchObject({ esmClass: 0, dataCoding: 0, shortMessage: Buffer.of(0x61, 0x00, 0x1b, 0x65) });
  expect(part?.tlvs.size).toBe(0);
});

test('UCS-2 is big endian', () => {
  const [part] = encodeText(message({ encoding: 'UCS-2', parts: ['Aя'] }));
  expect(part).toMatchObject({ dataCoding: 8, shortMessage: Buffer.of(0x00, 0x41, 0x04, 0x4f) });
});

test('parts with a header: one each, numbered, with eight bits of the reference', () => {
  const parts = encodeText(message({ parts: ['a', 'b'] }));
  expect(parts.map(({ esmClass, shortMessage }) => [esmClass, shortMessage])).toEqual([
    [0x40, Buffer.of(5, 0, 3, 0x34, 2, 1, 0x61)],
    [0x40, Buffer.of(5, 0, 3, 0x34, 2, 2, 0x62)],
  ]);
});

test('parts with sar parameters: sixteen bits of the reference, and no header', () => {
  const [, second] = encodeText(message({ parts: ['a', 'b'], concatenation: 'sar' }));
  expect(second).toMatchObject({ esmClass: 0, shortMessage: Buffer.of(0x62) });
  expect(second?.tlvs).toEqual(
    new Map([
      [TlvTag.sar_msg_ref_num, Buffer.of(0x12, 0x34)],
      [TlvTag.sar_total_segments, Buffer.of(2)],
      [TlvTag.sar_segment_seqnum, Buffer.of(2)],
    ]),
  );
});

test('parts as a payload: one PDU with all of it', () => {
  const parts = encodeText(message({ parts: ['a'.repeat(153), 'b'], concatenation: 'payload' }));
  expect(parts).toHaveLength(1);
  expect(parts[0]?.tlvs.get(TlvTag.message_payload)).toHaveLength(154);
  expect(decodeText(parts[0]!)).toEqual({ text: `${'a'.repeat(153)}b`, concatenation: null });
});

test('a full part fits into a short message', () => {
  const gsm = encodeText(message({ parts: ['x'.repeat(153), 'y'] }));
  const ucs2 = encodeText(message({ encoding: 'UCS-2', parts: ['я'.repeat(67), 'y'] }));
  expect([gsm[0]?.shortMessage.length, ucs2[0]?.shortMessage.length]).toEqual([159, 140]);
});

test('what is encoded is decoded, with its place', () => {
  const texts = fc.oneof(
    fc.tuple(fc.constant('GSM-7' as const), fc.array(gsmText, { minLength: 1, maxLength: 4 })),
    fc.tuple(fc.constant('UCS-2' as const), fc.array(anyText, { minLength: 1, maxLength: 4 })),
  );
  fc.assert(
    fc.property(texts, concatenation, fc.integer({ min: 0, max: 255 }), ([encoding, parts], how, reference) => {
      const decoded = encodeText({ encoding, parts, concatenation: how, reference }).map(decodeText);
      expect(decoded.map(({ text }) => text).join('')).toBe(parts.join(''));
      const total = parts.length;
      const places =
        total === 1 || how === 'payload' ? [null] : parts.map((_, i) => ({ reference, part: i + 1, total }));
      expect(decoded.map((part) => part.concatenation)).toEqual(places);
    }),
  );
});

test('a header of sixteen bits among other elements is read', () => {
  const header = Buffer.of(11, 0x24, 1, 7, 0x70, 0, 0x08, 4, 0x12, 0x34, 3, 2);
  const pdu = {
    esmClass: 0x40,
    dataCoding: 0,
    shortMessage: Buffer.concat([header, Buffer.from('hi')]),
    tlvs: new Map(),
  };
  expect(decodeText(pdu)).toEqual({ text: 'hi', concatenation: { reference: 0x1234, part: 2, total: 3 } });
});

test('a part that cannot be one of its total stands alone', () => {
  const shortMessage = Buffer.of(5, 0, 3, 9, 2, 3, 0x61);
  const decoded = decodeText({ esmClass: 0x40, dataCoding: 0, shortMessage, tlvs: new Map() });
  expect(decoded).toEqual({ text: 'a', concatenation: null });
});

test('the common codings are read', () => {
  const read = (dataCoding: number, ...octets: number[]) =>
    decodeText({ esmClass: 0, dataCoding, shortMessage: Buffer.from(octets), tlvs: new Map() }).text;
  expect(read(0, 0x00)).toBe('@');
  expect(read(0xf1, 0x00)).toBe('@');
  expect(read(1, 0x40)).toBe('@');
  expect(read(3, 0xe9)).toBe('é');
  expect(read(8, 0x04, 0x4f, 0x04)).toBe('я');
});

test('any octets are decoded to something', () => {
  const tlvs = fc.constant(new Map<number, Buffer>());
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(octet, octet, fc.uint8Array({ maxLength: 254 }), tlvs, (esmClass, dataCoding, shortMessage, none) => {
      const decoded = decodeText({ esmClass, dataCoding, shortMessage, tlvs: none });
      expect(decoded.text.length).toBeLessThanOrEqual(shortMessage.length);
    }),
  );
});

test('a text that cannot be encoded as it says is refused', () => {
  expect(() => encodeText(message({ parts: ['я'] }))).toThrow(RangeError);
  expect(() => encodeText(message({ parts: [] }))).toThrow(RangeError);
  expect(() => encodeText(message({ parts: Array.from({ length: 256 }, () => 'x') }))).toThrow(RangeError);
});
