const [seconds, nanos] = process.hrtime();
const ORIGIN_MS = seconds * 1_000 + nanos / 1e6 - performance.now();

/** Milliseconds of the machine's monotonic clock: the same instant in every process of the machine. */
export function nowMs(): number {
  return ORIGIN_MS + performance.now();
}
