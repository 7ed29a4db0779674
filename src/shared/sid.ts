import { randomBytes } from 'node:crypto';

/** Kinds of resource that have a SID: two letters, then the 32 hexadecimal digits of an id. */
export type SidPrefix = 'AC' | 'SM' | 'MM' | 'MG' | 'SK' | 'PN' | 'ME';

const MAX_TIME_MS = 2 ** 48 - 1;
/** Fills the 12 + 14 bits between version, variant and the random end. */
const COUNTER_BITS = 26;
const COUNTER_LOW_BITS = 14;
const MAX_COUNTER = 2 ** COUNTER_BITS - 1;
/** Random hexadecimal digits at the end of an id: 48 bits. */
const RANDOM_DIGITS = 12;
const POOLED_IDS = 512;
const SID_DIGITS = /^[0-9a-fA-F]{32}$/;

let lastTimeMs = -1;
let lastTimeText = '';
let counter = 0;
let randomPool = '';
let randomPoolAt = 0;

/**
 * A new UUIDv7 (RFC 9562) in lower case. Within one millisecond, the ids of this process ascend: 26 bits count up from a
 * random start in the lower half, which leaves room for 33 million ids a millisecond; 48 bits are random. An id carries
 * the time it is given, so ids follow a clock that is set back.
 * @param nowMs milliseconds since 1970; by default the system clock. RangeError outside 0 … 2^48 - 1.
 */
export function newId(nowMs: number = Date.now()): string {
  if (nowMs !== lastTimeMs || counter === MAX_COUNTER) startMillisecond(nowMs);
  else counter += 1;
  const high = 0x7000 | (counter >>> COUNTER_LOW_BITS);
  const low = 0x8000 | (counter & 0x3fff);
  return `${lastTimeText}${high.toString(16)}-${low.toString(16)}-${nextRandomDigits()}`;
}

/** The SID of an id: the prefix and the id's 32 hexadecimal digits. */
export function sidOf(prefix: SidPrefix, id: string): string {
  return prefix + id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18) + id.slice(19, 23) + id.slice(24);
}

/**
 * The id in a SID, as a lower-case uuid, or null unless the text is exactly the prefix and 32 hexadecimal digits of
 * either case (the pattern that Twilio publishes).
 */
export function parseSid(prefix: SidPrefix, text: string): string | null {
  if (text.length !== prefix.length + 32 || !text.startsWith(prefix)) return null;
  const digits = text.slice(prefix.length);
  if (!SID_DIGITS.test(digits)) return null;
  const d = digits.toLowerCase();
  return `${d.slice(0, 8)}-${d.slice(8, 12)}-${d.slice(12, 16)}-${d.slice(16, 20)}-${d.slice(20)}`;
}

/** When an id was made: milliseconds since 1970. Without meaning for a uuid that newId did not make. */
export function idTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/**
 * The smallest id of an instant, for ranges over ids: those made at or after it are greater or equal. Times that no id
 * can carry are moved to the nearest that one can.
 * @param timeMs milliseconds since 1970; RangeError if it is not a number.
 */
export function idFloor(timeMs: number): string {
  const bounded = Math.min(Math.max(Math.ceil(timeMs), 0), MAX_TIME_MS);
  return `${timeText(bounded)}7000-8000-000000000000`;
}

function startMillisecond(nowMs: number): void {
  lastTimeText = timeText(nowMs);
  lastTimeMs = nowMs;
  counter = Number.parseInt(nextRandomDigits().slice(0, 8), 16) >>> (32 - COUNTER_BITS + 1);
}

/** The 48 bits of the time as they stand in a uuid, both dashes included. */
function timeText(timeMs: number): string {
  if (!Number.isInteger(timeMs) || timeMs < 0 || timeMs > MAX_TIME_MS) {
    throw new RangeError(`an id's time must be an integer from 0 to ${MAX_TIME_MS} ms, got ${timeMs}`);
  }
  const digits = timeMs.toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}-`;
}

/** One call into the random source serves many ids: it costs more than all the rest of making one. */
function nextRandomDigits(): string {
  if (randomPoolAt >= randomPool.length) {
    randomPool = randomBytes((POOLED_IDS * RANDOM_DIGITS) / 2).toString('hex');
    randomPoolAt = 0;
  }
  const digits = randomPool.slice(randomPoolAt, randomPoolAt + RANDOM_DIGITS);
  randomPoolAt += RANDOM_DIGITS;
  return digits;
}
