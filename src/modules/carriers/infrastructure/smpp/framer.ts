/** A PDU is at least its header: command_length, command_id, command_status, sequence_number. */
export const MIN_PDU_OCTETS = 16;
/** Enough for a message_payload near its largest size; what announces more is not read. */
export const DEFAULT_MAX_PDU_OCTETS = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/** The stream cannot be read on: a command_length is impossible, so nobody knows where the next PDU begins. */
export class FramingError extends Error {
  constructor(
    readonly commandLength: number,
    readonly sequenceNumber: number,
  ) {
    super(`a PDU announced ${commandLength} octets`);
    this.name = 'FramingError';
  }
}

/**
 * Cuts a stream of octets into PDUs. A PDU within one chunk is a view of it; one that spans chunks is collected in a
 * buffer of its own size, so each octet is copied at most once and memory stays within two PDUs and one chunk.
 */
export class Framer {
  private chunk: Buffer = NOTHING;
  private position = 0;
  private partial: Buffer | null = null;
  private filled = 0;

  constructor(private readonly maxPduOctets = DEFAULT_MAX_PDU_OCTETS) {}

  /** Adds a chunk of the stream. Call next() until it has nothing more before adding another. */
  append(chunk: Buffer): void {
    this.chunk = this.position < this.chunk.length ? Buffer.concat([this.chunk.subarray(this.position), chunk]) : chunk;
    this.position = 0;
  }

  /**
   * The next whole PDU, or null until more octets arrive. Throws FramingError where a length is below 16 or above the
   * cap, as soon as its header is complete; the framer is of no use afterwards.
   */
  next(): Buffer | null {
    if (this.partial !== null) return this.complete(this.partial);
    const available = this.chunk.length - this.position;
    if (available >= MIN_PDU_OCTETS) {
      const length = this.lengthOf(this.chunk, this.position);
      if (available >= length) {
        this.position += length;
        return this.chunk.subarray(this.position - length, this.position);
      }
      return this.complete(this.collect(Buffer.allocUnsafeSlow(length)));
    }
    return available === 0 ? null : this.complete(this.collect(Buffer.allocUnsafeSlow(MIN_PDU_OCTETS)));
  }

  private collect(partial: Buffer): Buffer {
    this.partial = partial;
    this.filled = 0;
    return partial;
  }

  private complete(partial: Buffer): Buffer | null {
    this.fill(partial);
    if (this.filled < partial.length) return null;
    const length = this.lengthOf(partial, 0);
    if (length === partial.length) {
      this.partial = null;
      return partial;
    }
    // Only the header was known to come; now that it is here, so is the size of the rest.
    const whole = Buffer.allocUnsafeSlow(length);
    partial.copy(whole);
    this.partial = whole;
    return this.complete(whole);
  }

  private fill(partial: Buffer): void {
    const copied = this.chunk.copy(partial, this.filled, this.position);
    this.position += copied;
    this.filled += copied;
  }

  private lengthOf(octets: Buffer, position: number): number {
    const length = octets.readUInt32BE(position);
    if (length >= MIN_PDU_OCTETS && length <= this.maxPduOctets) return length;
    throw new FramingError(length, octets.readUInt32BE(position + 12));
  }
}
