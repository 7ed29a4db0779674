import { CommandStatus } from './command-status.js';

/** A field of a PDU that breaks the standard; `commandStatus` is what a peer that sent it is answered. */
export class MalformedPdu extends Error {
  constructor(
    readonly field: string,
    problem: string,
    readonly commandStatus: number,
  ) {
    super(`${field} ${problem}`);
    this.name = 'MalformedPdu';
  }
}

const SLAB_OCTETS = 32 * 1024;

/**
 * Collects what is to be sent. Octets are written once, into a slab that later batches go on filling, and leave it as
 * a view: nothing is copied between here and the socket.
 */
export class OctetWriter {
  private slab = Buffer.alloc(0);
  private start = 0;
  private end = 0;

  /** Octets written since the last take(). */
  get size(): number {
    return this.end - this.start;
  }

  /** Makes room for that many more octets; what was written so far moves when the slab is full. */
  reserve(octets: number): void {
    if (this.end + octets <= this.slab.length) return;
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_OCTETS, this.size + octets));
    this.slab.copy(slab, 0, this.start, this.end);
    this.slab = slab;
    this.end = this.size;
    this.start = 0;
  }

  /** Forgets everything written after the writer had that size. */
  truncate(size: number): void {
    this.end = this.start + size;
  }

  /** The octets written since the last take(); they are not touched again. */
  take(): Buffer {
    const taken = this.slab.subarray(this.start, this.end);
    this.start = this.end;
    return taken;
  }

  /** An integer of one octet. */
  uint8(field: string, value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xff) throw notAnOctet(field);
    this.slab[this.end] = value;
    this.end += 1;
  }

  uint16(value: number): void {
    this.end = this.slab.writeUInt16BE(value, this.end);
  }

  uint32(value: number): void {
    this.end = this.slab.writeUInt32BE(value, this.end);
  }

  /** Sets an integer that was written at that size of the writer. */
  overwriteUint32(size: number, value: number): void {
    this.slab.writeUInt32BE(value, this.start + size);
  }

  /** A C-octet string: ASCII, ended by NUL, of at most `maxOctets` with the NUL. Space must have been reserved. */
  cString(field: string, value: string, maxOctets: number, commandStatus: number): void {
    if (value.length >= maxOctets) throw new MalformedPdu(field, `exceeds ${maxOctets - 1} characters`, commandStatus);
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code === 0 || code > 0x7f) throw new MalformedPdu(field, 'has a character that is not ASCII', commandStatus);
      this.slab[this.end + i] = code;
    }
    this.end += value.length;
    this.slab[this.end] = 0;
    this.end += 1;
  }

  octets(value: Uint8Array): void {
    this.slab.set(value, this.end);
    this.end += value.length;
  }
}

/** Reads one PDU from its first octet to its last; every read that would pass the end is a MalformedPdu. */
export class OctetReader {
  constructor(
    private readonly octets: Buffer,
    private position: number,
  ) {}

  get remaining(): number {
    return this.octets.length - this.position;
  }

  uint8(field: string): number {
    const value = this.octets[this.position];
    if (value === undefined) throw new MalformedPdu(field, 'is missing', CommandStatus.ESME_RINVCMDLEN);
    this.position += 1;
    return value;
  }

  uint16(field: string): number {
    return (this.uint8(field) << 8) | this.uint8(field);
  }

  /** A C-octet string of at most `maxOctets` with its NUL. */
  cString(field: string, maxOctets: number, commandStatus: number): string {
    const start = this.position;
    const limit = Math.min(start + maxOctets, this.octets.length);
    let end = start;
    while (end < limit && this.octets[end] !== 0) end += 1;
    if (end === limit) throw new MalformedPdu(field, `is not ended within ${maxOctets} octets`, commandStatus);
    this.position = end + 1;
    return end === start ? '' : this.octets.toString('latin1', start, end);
  }

  /** A view of the next octets: it shares the memory of the PDU. */
  take(field: string, length: number, commandStatus: number): Buffer {
    if (length > this.remaining) throw new MalformedPdu(field, 'is longer than its PDU', commandStatus);
    this.position += length;
    return this.octets.subarray(this.position - length, this.position);
  }
}

function notAnOctet(field: string): MalformedPdu {
  return new MalformedPdu(field, 'is not an integer from 0 to 255', CommandStatus.ESME_RSYSERR);
}
