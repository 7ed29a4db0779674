import { gsm7UnitCost, isGsm7 } from '../../../../shared/gsm7.js';

/** What one message holds alone, and each of several: septets, or units of UCS-2. */
const ROOM = { 'GSM-7': [160, 153], 'UCS-2': [70, 67] } as const;

export interface SplitText {
  readonly encoding: keyof typeof ROOM;
  readonly parts: readonly string[];
}

/** A text as a phone sends it: in one message or in as many as it takes, no character split between two. */
export function splitText(text: string): SplitText {
  const encoding = isGsm7(text) ? 'GSM-7' : 'UCS-2';
  const [alone, each] = ROOM[encoding];
  const single = fill(text, encoding, alone);
  return { encoding, parts: single.length === 1 ? single : fill(text, encoding, each) };
}

function fill(text: string, encoding: SplitText['encoding'], room: number): string[] {
  const parts = [''];
  let taken = 0;
  for (const character of text) {
    const cost = encoding === 'GSM-7' ? gsm7UnitCost(character.charCodeAt(0)) : character.length;
    if (taken + cost > room) {
      parts.push('');
      taken = 0;
    }
    parts[parts.length - 1] += character;
    taken += cost;
  }
  return parts;
}
