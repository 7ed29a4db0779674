import { isGsm7 } from '../../../shared/gsm7.js';
import { smartEncode } from './smart-encoding.js';

const ALL_CHARACTERS = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit));
const REPLACED = ALL_CHARACTERS.filter((character) => smartEncode(character) !== character);

describe('smartEncode', () => {
  it('replaces only what GSM-7 lacks, and only by GSM-7', () => {
    expect(REPLACED.length).toBeGreaterThan(150);
    expect(REPLACED.filter(isGsm7)).toEqual([]);
    expect(REPLACED.map(smartEncode).filter((replacement) => !isGsm7(replacement))).toEqual([]);
  });

  it.each([
    ['“a”', '"a"'],
    ['‘a’', "'a'"],
    ['1–2 — 3', '1-2 - 3'],
    ['…', '...'],
    ['a\u00a0b\tc', 'a b c'],
    ['`', "'"],
    ['½ ¼ ¾', '1/2 1/4 3/4'],
    ['a\u200bb\u00adc', 'abc'],
    ['ＡＢｃ！', 'ABc!'],
  ])('turns %j into %j', (text, expected) => {
    expect(smartEncode(text)).toBe(expected);
  });

  it.each(['', 'plain', 'é', 'e\u0302', '中文', '😀', '\ud800'])('leaves %j as it is', (text) => {
    expect(smartEncode(text)).toBe(text);
  });
});
