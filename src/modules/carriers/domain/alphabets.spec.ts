import { type Alphabet, encodingOf, readText } from './alphabets.js';

const read = (alphabet: Alphabet, ...parts: number[][]) =>
  readText(parts.map((octets) => ({ alphabet, octets: Buffer.from(octets) })));

it.each<[Alphabet, number[], string]>([
  ['gsm7', [0x00, 0x1b, 0x65, 0x61], '@€a'],
  ['ascii', [0x41], 'A'],
  ['latin1', [0xeb, 0x80], 'ë\u0080'],
  ['ucs2', [0x04, 0x1f, 0xd8, 0x3d, 0xde, 0x00], 'П😀'],
  ['cyrillic', [0xbf], 'П'],
  ['hebrew', [0xe0], 'א'],
  ['shift-jis', [0x82, 0xa0], 'あ'],
  ['euc-kr', [0xb0, 0xa1], '가'],
  ['utf8', [0xd0, 0x9f], 'П'],
])('%s is read', (alphabet, octets, text) => {
  expect(read(alphabet, octets)).toBe(text);
});

it('a character that was split between parts is whole again', () => {
  expect(read('gsm7', [0x61, 0x1b], [0x65])).toBe('a€');
  expect(read('ucs2', [0xd8, 0x3d], [0xde, 0x00])).toBe('😀');
  expect(read('ucs2', [0x04], [0x1f])).toBe('П');
});

it('what nobody can store becomes a replacement character', () => {
  expect(read('latin1', [0x00])).toBe('\ufffd');
  expect(read('ucs2', [0xd8, 0x3d])).toBe('\ufffd');
  expect(read('ucs2', [0x00])).toBe('');
  expect(read('utf8', [0xff])).toBe('\ufffd');
});

it('parts of several alphabets stand beside each other', () => {
  const parts = [
    { alphabet: 'gsm7', octets: Buffer.from([0x00]) },
    { alphabet: 'ucs2', octets: Buffer.from([0x04, 0x1f]) },
  ] as const;
  expect(readText(parts)).toBe('@П');
  expect(encodingOf(parts, '@П')).toBe('UCS-2');
});

it('a text counts as UCS-2 where it came so, or where it has to', () => {
  expect(encodingOf([{ alphabet: 'ucs2', octets: Buffer.of(0, 0x61) }], 'a')).toBe('UCS-2');
  expect(encodingOf([{ alphabet: 'latin1', octets: Buffer.of(0x61) }], 'a')).toBe('GSM-7');
  expect(encodingOf([{ alphabet: 'latin1', octets: Buffer.of(0xea) }], 'ê')).toBe('UCS-2');
});
