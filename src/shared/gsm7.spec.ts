import fc from 'fast-check';
import { decodeGsm7, encodeGsm7, gsm7Length, gsm7UnitCost, isGsm7 } from './gsm7.js';

const ALL_UNITS = Array.from({ length: 0x10000 }, (_, unit) => unit);
const BASIC = ALL_UNITS.filter((unit) => gsm7UnitCost(unit) === 1).map((unit) => String.fromCharCode(unit));
const EXTENDED = ALL_UNITS.filter((unit) => gsm7UnitCost(unit) === 2).map((unit) => String.fromCharCode(unit));
const gsm7Text = fc.string({ unit: fc.constantFrom(...BASIC, ...EXTENDED), maxLength: 400 });

describe('GSM-7', () => {
  it('knows 127 basic characters and the 10 of the extension table', () => {
    expect(BASIC).toHaveLength(127);
    expect(EXTENDED.sort()).toEqual(['\f', '[', '\\', ']', '^', '{', '|', '}', '~', '€'].sort());
  });

  it.each([
    ['@£$¥', [0x00, 0x01, 0x02, 0x03]],
    ['èéùìòÇ', [0x04, 0x05, 0x06, 0x07, 0x08, 0x09]],
    ['\nØø\rÅå', [0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f]],
    ['Δ_ΦΓΛΩΠΨΣΘΞ', [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a]],
    ['ÆæßÉ ¤', [0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x24]],
    ['09AZaz', [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a]],
    ['¡ÄÖÑÜ§¿äöñüà', [0x40, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, 0x60, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f]],
    ['{}\\', [0x1b, 0x28, 0x1b, 0x29, 0x1b, 0x2f]],
    ['[~]', [0x1b, 0x3c, 0x1b, 0x3d, 0x1b, 0x3e]],
    ['^|€\f', [0x1b, 0x14, 0x1b, 0x40, 0x1b, 0x65, 0x1b, 0x0a]],
    ['', []],
  ])('encodes %j', (text, septets) => {
    expect(Array.from(encodeGsm7(text) ?? [])).toEqual(septets);
    expect(decodeGsm7(Uint8Array.from(septets))).toBe(text);
    expect(gsm7Length(text)).toBe(septets.length);
  });

  it.each(['`', 'ç', '\t', '\u001b', '\u0000', 'ё', '中', '😀', '\ud800', '’', '\u00a0'])('refuses %j', (text) => {
    expect(encodeGsm7(`a${text}b`)).toBeNull();
    expect(gsm7Length(`a${text}b`)).toBeNull();
    expect(isGsm7(`a${text}b`)).toBe(false);
  });

  it('gives back every text that it encodes, in septets', () => {
    fc.assert(
      fc.property(gsm7Text, (text) => {
        const octets = encodeGsm7(text);
        expect(octets).not.toBeNull();
        expect(octets?.every((octet) => octet < 0x80)).toBe(true);
        expect(octets).toHaveLength(gsm7Length(text) ?? -1);
        expect(decodeGsm7(octets ?? new Uint8Array())).toBe(text);
      }),
    );
  });

  it('encodes a text exactly when each of its characters can be encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        const encodable = [...text].every((character) => encodeGsm7(character) !== null);
        expect(encodeGsm7(text) !== null).toBe(encodable);
        expect(isGsm7(text)).toBe(encodable);
      }),
    );
  });

  it.each([
    [[0x41, 0x1b], 'A '],
    [[0x1b, 0x1b, 0x41], ' A'],
    [[0x1b, 0x41], 'A'],
    [[0x41, 0x80, 0xff], 'A\ufffd\ufffd'],
    [[0x1b, 0xe5], '\ufffd'],
  ])('reads the malformed octets %j as %j', (octets, text) => {
    expect(decodeGsm7(Uint8Array.from(octets))).toBe(text);
  });

  it('decodes any octets to a text that is no longer than they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        expect(decodeGsm7(octets).length).toBeLessThanOrEqual(octets.length);
      }),
    );
  });
});
