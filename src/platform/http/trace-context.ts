import { randomBytes } from 'node:crypto';

/** version, trace-id, parent-id, flags; later versions may append more after a dash */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 0x01;
const POOL_BYTES = 4_096;

let pool = '';
let poolAt = 0;

/**
 * The traceparent of a request's own span: in the caller's trace where it sent a valid one, in a new one otherwise.
 * Rules of W3C Trace Context level 1, section 3.2: lower case only, no all-zero ids, version ff is invalid, a later
 * version is read by the fields of version 00 and answered as 00. Only the sampled flag is passed on; a new trace is not
 * sampled.
 */
export function joinTrace(header: string | undefined): string {
  const caller = header === undefined ? null : TRACEPARENT.exec(header);
  if (!caller || !isValid(caller)) return `00-${randomHex(32)}-${randomHex(16)}-00`;
  const sampled = Number.parseInt(caller[4] ?? '', 16) & SAMPLED;
  return `00-${caller[2]}-${randomHex(16)}-0${sampled}`;
}

/** The trace id in a traceparent that joinTrace made: 32 hexadecimal digits. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

function isValid([, version, traceId, parentId, , rest]: RegExpExecArray): boolean {
  if (version === 'ff' || traceId === NO_TRACE || parentId === NO_SPAN) return false;
  return version !== '00' || rest === undefined;
}

/** One call into the random source serves many requests. A valid id is never all zeros; one in 2^64 would be. */
function randomHex(digits: number): string {
  if (poolAt + digits > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex');
    poolAt = 0;
  }
  const hex = pool.slice(poolAt, poolAt + digits);
  poolAt += digits;
  return hex;
}
