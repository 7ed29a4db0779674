import { readSync } from 'node:fs';

const CHUNK_OCTETS = 64 * 1024;
const NEWLINE = 0x0a;

export interface Line {
  /** Without its newline; only good until the next line is asked for. */
  readonly octets: Buffer;
  /** Position in the file of the octet after its newline. */
  readonly end: number;
}

/** The whole lines of a file from a position up to another; what follows the last newline is no line. */
export function* readLines(fd: number, from: number, to: number): Generator<Line> {
  let buffer = Buffer.allocUnsafe(CHUNK_OCTETS);
  let filled = 0;
  let position = from;
  while (position + filled < to) {
    // A line longer than the buffer needs a larger one.
    if (filled === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
    const wanted = Math.min(buffer.length - filled, to - position - filled);
    const read = readSync(fd, buffer, filled, wanted, position + filled);
    if (read === 0) return;
    filled += read;
    let start = 0;
    const valid = buffer.subarray(0, filled);
    for (let end = valid.indexOf(NEWLINE); end >= 0; end = valid.indexOf(NEWLINE, start)) {
      yield { octets: valid.subarray(start, end), end: position + end + 1 };
      start = end + 1;
    }
    buffer.copyWithin(0, start, filled);
    filled -= start;
    position += start;
  }
}
