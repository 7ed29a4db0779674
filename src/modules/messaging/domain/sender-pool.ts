import { parsePhoneNumber } from '../../../shared/phone-number.js';
import type { PoolNumber, Service } from './service.js';

/** How near a sender is to its recipient: the lower, the sooner it is chosen. */
const SAME_AREA = 0;
const SAME_COUNTRY = 1;
const ANY = 2;

/**
 * The numbers of a pool in the order in which they may send to a recipient: those of its area code first where the
 * service prefers them, then those of its country, then the others. Among equals the sticky choice is the recipient's
 * highest score (rendezvous hashing): the same for as long as that number is in the pool, whatever comes or goes beside
 * it, spread evenly over recipients, and remembered nowhere. Without it any of them may be the first.
 *
 * @param to E.164
 * @param chance from 0 to 1, exclusive
 */
export function sendersFor(
  to: string,
  pool: readonly PoolNumber[],
  { stickySender, areaCodeGeomatch }: Pick<Service, 'stickySender' | 'areaCodeGeomatch'>,
  chance: number,
): PoolNumber[] {
  if (pool.length < 2) return [...pool];
  const distance = distanceTo(to, areaCodeGeomatch);
  const byDistance = Map.groupBy(pool, ({ phoneNumber }) => distance(phoneNumber));
  return [SAME_AREA, SAME_COUNTRY, ANY].flatMap((near) => {
    const equals = byDistance.get(near) ?? [];
    return stickySender ? byScore(to, equals) : rotated(equals, Math.floor(chance * equals.length));
  });
}

function byScore(to: string, numbers: readonly PoolNumber[]): PoolNumber[] {
  const scored = numbers.map((number) => ({ number, score: scoreOf(to, number.id) }));
  return scored.sort((a, b) => b.score - a.score).map(({ number }) => number);
}

function rotated(numbers: readonly PoolNumber[], by: number): PoolNumber[] {
  return [...numbers.slice(by), ...numbers.slice(0, by)];
}

function distanceTo(to: string, areaCodeGeomatch: boolean): (from: string) => number {
  const recipient = placeOf(to);
  return (from) => {
    const sender = placeOf(from);
    if (recipient === null || sender === null || sender.callingCode !== recipient.callingCode) return ANY;
    if (areaCodeGeomatch && recipient.areaCode !== null && sender.areaCode === recipient.areaCode) return SAME_AREA;
    // A number that does not tell its country is of any that shares its calling code.
    const tells = sender.country !== null && recipient.country !== null;
    return tells && sender.country !== recipient.country ? ANY : SAME_COUNTRY;
  };
}

interface NumberPlace {
  readonly callingCode: string;
  readonly country: string | null;
  /** Where numbers have one of a fixed length: three digits behind +1. */
  readonly areaCode: string | null;
}

/** Null for a short code, which says nothing of where it is. */
function placeOf(phoneNumber: string): NumberPlace | null {
  const parsed = parsePhoneNumber(phoneNumber);
  if (!parsed.ok) return null;
  const { callingCode, country, e164 } = parsed;
  return { callingCode, country, areaCode: callingCode === '1' ? e164.slice(2, 5) : null };
}

/** FNV-1a over both texts, mixed so that a small difference between them changes every bit (the finaliser of Murmur 3). */
function scoreOf(to: string, id: string): number {
  let hash = 0x811c9dc5;
  for (const text of [to, id]) {
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
