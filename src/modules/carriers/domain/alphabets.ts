import { decodeGsm7, isGsm7 } from '../../../shared/gsm7.js';

/** How the octets of a text are read. `gsm7`: a septet in each octet; `ucs2`: two octets a unit, the higher one first. */
export const ALPHABETS = [
  'gsm7',
  'ascii',
  'latin1',
  'ucs2',
  'cyrillic',
  'hebrew',
  'shift-jis',
  'euc-kr',
  'utf8',
] as const;
export type Alphabet = (typeof ALPHABETS)[number];

/** Labels of the WHATWG Encoding Standard. Its `latin1` is Windows-1252, which differs from ISO 8859-1 in 0x80 to 0x9F. */
const LABELS = { cyrillic: 'iso-8859-5', hebrew: 'iso-8859-8', 'shift-jis': 'shift_jis', 'euc-kr': 'euc-kr' } as const;

export interface Written {
  readonly alphabet: Alphabet;
  readonly octets: Uint8Array;
}

/**
 * The text of a message's parts, in their order. Parts of one alphabet are joined before they are read, since senders
 * split characters between parts. Whatever is no character reads as U+FFFD; so does NUL, which nobody can store.
 */
export function readText(parts: readonly Written[]): string {
  const runs: { readonly alphabet: Alphabet; readonly octets: Uint8Array[] }[] = [];
  for (const { alphabet, octets } of parts) {
    const last = runs.at(-1);
    if (last?.alphabet === alphabet) last.octets.push(octets);
    else runs.push({ alphabet, octets: [octets] });
  }
  const text = runs.map(({ alphabet, octets }) => decode(alphabet, Buffer.concat(octets))).join('');
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** The encoding that a text counts as: UCS-2 where it came so, or where GSM-7 lacks one of its characters. */
export function encodingOf(parts: readonly Written[], text: string): 'GSM-7' | 'UCS-2' {
  return parts.some(({ alphabet }) => alphabet === 'ucs2') || !isGsm7(text) ? 'UCS-2' : 'GSM-7';
}

function decode(alphabet: Alphabet, octets: Buffer): string {
  switch (alphabet) {
    case 'gsm7':
      return decodeGsm7(octets);
    case 'ascii':
    case 'latin1':
      return octets.toString('latin1');
    case 'utf8':
      return octets.toString('utf8');
    case 'ucs2':
      return Buffer.from(octets.subarray(0, octets.length - (octets.length % 2)))
        .swap16()
        .toString('utf16le');
    default:
      return new TextDecoder(LABELS[alphabet]).decode(octets);
  }
}
