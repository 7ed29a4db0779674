import fc from 'fast-check';
import { Framer, FramingError } from './framer.js';

/** A PDU of that many octets, filled so that a mix-up would show. */
function pdu(length: number, fill: number): Buffer {
  const octets = Buffer.alloc(length, fill);
  octets.writeUInt32BE(length, 0);
  octets.writeUInt32BE(fill, 12);
  return octets;
}

function framesOf(framer: Framer, chunk: Buffer): Buffer[] {
  framer.append(chunk);
  const frames: Buffer[] = [];
  for (let frame = framer.next(); frame !== null; frame = framer.next()) frames.push(frame);
  return frames;
}

test('the same PDUs come out however the stream is cut', () => {
  const pdus = fc.array(fc.tuple(fc.integer({ min: 16, max: 300 }), fc.integer({ min: 0, max: 255 })), {
    maxLength: 20,
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(pdus, cuts, (described, sizes) => {
      const sent = described.map(([length, fill]) => pdu(length, fill));
      const stream = Buffer.concat(sent);
      const framer = new Framer();
      const got: Buffer[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn += 1) {
        const size = sizes[turn % sizes.length]!;
        got.push(...framesOf(framer, stream.subarray(at, at + size)));
        at += size;
      }
      expect(got).toEqual(sent);
    }),
  );
});

test('what was not taken yet is kept when more arrives', () => {
  const framer = new Framer();
  framer.append(Buffer.concat([pdu(20, 1), pdu(30, 2)]));
  expect(framer.next()).toEqual(pdu(20, 1));
  framer.append(pdu(16, 3));
  expect(framer.next()).toEqual(pdu(30, 2));
  expect(framer.next()).toEqual(pdu(16, 3));
  expect(framer.next()).toBeNull();
});

test('a length below a header or above the cap ends the stream, with the number of the PDU', () => {
  for (const length of [0, 4, 15, 1025, 0x7fffffff, 0xffffffff]) {
    const header = pdu(16, 7);
    header.writeUInt32BE(length, 0);
    const whole = new Framer(1024);
    whole.append(header);
    expect(() => whole.next()).toThrow(new FramingError(length, 7));
    const inPieces = new Framer(1024);
    expect(framesOf(inPieces, header.subarray(0, 9))).toEqual([]);
    inPieces.append(header.subarray(9));
    expect(() => inPieces.next()).toThrow(FramingError);
  }
});

test('the largest PDU that the cap allows is read', () => {
  const largest = pdu(1024, 9);
  expect(framesOf(new Framer(1024), largest)).toEqual([largest]);
});
