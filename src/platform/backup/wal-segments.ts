const MAX_SEGMENTS = 1_000_000;
const BYTES_PER_LOG = 2n ** 32n;

/**
 * The names of the segments of the log of changes from one to another, both included, as PostgreSQL names them: eight
 * hexadecimal digits each for the timeline, the log of 4 GiB, and the segment in it.
 *
 * @throws Error where the two are not of one timeline, or out of order
 */
export function walSegments(first: string, last: string, segmentBytes: number): string[] {
  const timeline = first.slice(0, 8);
  const perLog = BYTES_PER_LOG / BigInt(segmentBytes);
  const [from, to] = [numberOf(first, perLog), numberOf(last, perLog)];
  const count = to - from + 1n;
  if (last.slice(0, 8) !== timeline || count < 1n || count > MAX_SEGMENTS) {
    throw new Error(`there is no run of log segments from ${first} to ${last}`);
  }
  return Array.from({ length: Number(count) }, (_, index) => nameOf(timeline, from + BigInt(index), perLog));
}

function numberOf(name: string, perLog: bigint): bigint {
  if (!/^[0-9A-F]{24}$/.test(name)) throw new Error(`'${name}' is no name of a log segment`);
  return BigInt(`0x${name.slice(8, 16)}`) * perLog + BigInt(`0x${name.slice(16)}`);
}

function nameOf(timeline: string, segment: bigint, perLog: bigint): string {
  return timeline + digits(segment / perLog) + digits(segment % perLog);
}

function digits(value: bigint): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}
