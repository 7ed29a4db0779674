import { randomBytes } from 'node:crypto';
import { traceIdOf } from '../../shared/traceparent.js';

/** version, trace-id, parent-id, flags; later versions may append more after a dash */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 0x01;
const POOL_BYTES = 4_096;

/** Whether a trace is sampled, by its id and by what its caller decided, null where it has none. */
export type SamplingDecision = (traceId: string, caller: boolean | null) => boolean;

let pool = '';
let poolAt = 0;

/**
 * The traceparent of a request's own span: in the caller's trace where it sent a valid one, in a new one otherwise.
 * Rules of W3C Trace Context level 1, section 3.2: lower case only, no all-zero ids, version ff is invalid, a later
 * version is read by the fields of version 00 and answered as 00. Of the flags only `sampled` is written.
 *
 * @param decide whether it is sampled; by default as the caller says, and not where there is none
 */
export function joinTrace(header: string | undefined, decide: SamplingDecision = asTheCaller): string {
  const caller = header === undefined ? null : TRACEPARENT.exec(header);
  if (!caller || !isValid(caller)) return written(randomHex(32), decide, null);
  const isSampled = (Number.parseInt(caller[4] ?? '', 16) & SAMPLED) === SAMPLED;
  return written(caller[2] ?? '', decide, isSampled);
}

/** The span of the caller in whose trace a request's own traceparent is; null where the request began the trace. */
export function callerSpanId(header: string | undefined, traceparent: string): string | null {
  return header !== undefined && header.slice(3, 35) === traceIdOf(traceparent) ? header.slice(36, 52) : null;
}

function written(traceId: string, decide: SamplingDecision, caller: boolean | null): string {
  return `00-${traceId}-${randomHex(16)}-0${decide(traceId, caller) ? 1 : 0}`;
}

function asTheCaller(_traceId: string, caller: boolean | null): boolean {
  return caller ?? false;
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
