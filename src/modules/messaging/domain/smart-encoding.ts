/**
 * Typographic characters and the GSM-7 text that reads the same, as in Twilio's "Smart Encoding". Combining marks stay:
 * replacing one would break the letter that it belongs to.
 */
const REPLACEMENTS: ReadonlyArray<readonly [characters: string, replacement: string]> = [
  ['\u00ab\u00bb\u201c\u201d\u201e\u201f\u02ba\u02ee\u275d\u275e\u301d\u301e\u2033', '"'],
  ['\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u00b4\u0060\u275b\u275c\u2032\uff40', "'"],
  ['\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\u2022', '-'],
  ['\u2026', '...'],
  ['\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t', ' '],
  ['\u2028\u2029\u0085', '\n'],
  ['\u00ad\u200b\u200c\u2060\ufeff', ''],
  ['\u00bc', '1/4'],
  ['\u00bd', '1/2'],
  ['\u00be', '3/4'],
  ['\u00f7\u2044\u2215\u29f8', '/'],
  ['\u29f5\u29f9\ufe68', '\\'],
  ['\u2017', '_'],
  ['\u2223\u23d0', '|'],
  ['\u2039', '<'],
  ['\u203a', '>'],
  ['\u203c', '!!'],
  ['\u201a\u3001\uff64', ','],
  ['\u3002\uff61', '.'],
  ['\u204e\u2217', '*'],
  ['\u204f', ';'],
  ['\u02c6', '^'],
  ['\u02dc\u223c', '~'],
];

/** Fullwidth forms U+FF01 to U+FF5E mirror ASCII U+0021 to U+007E. */
const FULLWIDTH_FIRST = 0xff01;
const FULLWIDTH_LAST = 0xff5e;
const FULLWIDTH_OFFSET = 0xfee0;

const REPLACEMENT_BY_UNIT = new Map<number, string>();
for (let unit = FULLWIDTH_FIRST; unit <= FULLWIDTH_LAST; unit += 1) {
  REPLACEMENT_BY_UNIT.set(unit, String.fromCharCode(unit - FULLWIDTH_OFFSET));
}
for (const [characters, replacement] of REPLACEMENTS) {
  for (const character of characters) REPLACEMENT_BY_UNIT.set(character.charCodeAt(0), replacement);
}

/** The first code unit that can need a replacement apart from tab and backtick; everything below is ASCII. */
const FIRST_NON_ASCII = 0x80;
const TAB = 0x09;
const BACKTICK = 0x60;

/**
 * The text with typographic characters (curly quotes, dashes, ellipsis, special spaces, fullwidth forms …) replaced by
 * GSM-7 equivalents; all else stays as it is. A replacement may be longer than the character, or empty.
 */
export function smartEncode(text: string): string {
  let result = '';
  let copiedTo = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < FIRST_NON_ASCII && unit !== TAB && unit !== BACKTICK) continue;
    const replacement = REPLACEMENT_BY_UNIT.get(unit);
    if (replacement === undefined) continue;
    result += text.slice(copiedTo, i) + replacement;
    copiedTo = i + 1;
  }
  return copiedTo === 0 ? text : result + text.slice(copiedTo);
}
