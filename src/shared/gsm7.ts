/**
 * The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1 and 6.2.1.1), one septet per octet.
 */

const ESCAPE = 0x1b;
const NOT_A_SEPTET = '\ufffd';

/** Position in the string is the septet; U+001B stands where the escape is, which is no character of its own. */
const BASIC_ALPHABET =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';

const EXTENSION: ReadonlyArray<readonly [septet: number, character: string]> = [
  [0x0a, '\f'],
  [0x14, '^'],
  [0x28, '{'],
  [0x29, '}'],
  [0x2f, '\\'],
  [0x3c, '['],
  [0x3d, '~'],
  [0x3e, ']'],
  [0x40, '|'],
  [0x65, '€'],
];

/** What a UTF-16 code unit costs in septets: 0 where the alphabet lacks it. Covers every code unit, so no bound check. */
const COST_BY_UNIT = new Uint8Array(0x10000);
/** The septet of a code unit: the one after the escape where it costs 2; without meaning where it costs 0. */
const SEPTET_BY_UNIT = new Uint8Array(0x10000);
const CHARACTER_BY_OCTET = new Array<string>(256).fill(NOT_A_SEPTET);
/** After an escape, an unassigned septet reads as in the basic table and a second escape as a space (TS 23.038). */
const ESCAPED_CHARACTER_BY_OCTET = new Array<string>(256).fill(NOT_A_SEPTET);

for (let septet = 0; septet < BASIC_ALPHABET.length; septet += 1) {
  const character = septet === ESCAPE ? ' ' : BASIC_ALPHABET.charAt(septet);
  CHARACTER_BY_OCTET[septet] = character;
  ESCAPED_CHARACTER_BY_OCTET[septet] = character;
  if (septet === ESCAPE) continue;
  COST_BY_UNIT[character.charCodeAt(0)] = 1;
  SEPTET_BY_UNIT[character.charCodeAt(0)] = septet;
}
for (const [septet, character] of EXTENSION) {
  ESCAPED_CHARACTER_BY_OCTET[septet] = character;
  COST_BY_UNIT[character.charCodeAt(0)] = 2;
  SEPTET_BY_UNIT[character.charCodeAt(0)] = septet;
}

/** Septets that one UTF-16 code unit (0 to 65535) costs: 1, 2 for an extension character, 0 if it is not in GSM-7. */
export function gsm7UnitCost(codeUnit: number): number {
  return COST_BY_UNIT[codeUnit]!;
}

/** Septets that the text costs, escapes included, or null if a character of it is not in GSM-7. */
export function gsm7Length(text: string): number | null {
  let septets = 0;
  for (let i = 0; i < text.length; i += 1) {
    const cost = COST_BY_UNIT[text.charCodeAt(i)]!;
    if (cost === 0) return null;
    septets += cost;
  }
  return septets;
}

/** Whether every character of the text is in the GSM 7-bit default alphabet or its extension table. */
export function isGsm7(text: string): boolean {
  return gsm7Length(text) !== null;
}

/** The text as unpacked septets, one per octet, escapes included, or null if a character of it is not in GSM-7. */
export function encodeGsm7(text: string): Uint8Array | null {
  const length = gsm7Length(text);
  if (length === null) return null;
  const octets = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (COST_BY_UNIT[unit] === 2) {
      octets[at] = ESCAPE;
      at += 1;
    }
    octets[at] = SEPTET_BY_UNIT[unit]!;
    at += 1;
  }
  return octets;
}

/**
 * The text of unpacked septets. Takes whatever a carrier sends: an escape at the end or before another escape reads as
 * a space, an escape before an unassigned septet is ignored, an octet above 0x7F reads as U+FFFD.
 */
export function decodeGsm7(octets: Uint8Array): string {
  let text = '';
  for (let i = 0; i < octets.length; i += 1) {
    const octet = octets[i]!;
    if (octet === ESCAPE && i + 1 < octets.length) {
      i += 1;
      text += ESCAPED_CHARACTER_BY_OCTET[octets[i]!]!;
    } else {
      text += CHARACTER_BY_OCTET[octet]!;
    }
  }
  return text;
}
