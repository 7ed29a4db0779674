import type { Socket } from 'node:net';
import { Framer, FramingError } from './framer.js';
import { OctetWriter } from './octets.js';
import { encodePdu, type PduBody } from './pdu.js';

export interface PduStreamHandlers {
  /** Whether the owner can take another PDU; while it cannot, the socket is not read. Asked again at each turn. */
  canTake(): boolean;
  onFrame(frame: Buffer): void;
  /** The stream cannot be read on. */
  onFramingError(error: FramingError): void;
  /** The connection ended by itself. */
  onEnd(reason: string): void;
}

/** A peer that takes no answers is not read until it does. */
const MAX_UNSENT_OCTETS = 256 * 1024;
/** How long a closed connection may take to hand over its last octets and to see the peer's end. */
const CLOSE_GRACE_MS = 1_000;

/** PDUs over a connected socket. All that is sent within one turn of the event loop leaves in one write. */
export class PduStream {
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
  private readonly framer: Framer;
  private readonly writer = new OctetWriter();
  private writes = 0;
  private flushScheduled = false;
  private held = false;
  private stopped = false;

  constructor(
    private readonly socket: Socket,
    maxPduOctets: number,
    private readonly handlers: PduStreamHandlers,
  ) {
    this.framer = new Framer(maxPduOctets);
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('drain', () => this.read());
    socket.on('end', () => this.onEnd('the peer closed the connection'));
    socket.on('error', (error: Error) => this.onEnd(error.message));
    socket.on('close', () => this.onEnd('the connection was lost'));
  }

  /** How many writes the socket was handed; what is sent now leaves with the next one. */
  get writeCount(): number {
    return this.writes;
  }

  /** Whether the socket is not read at present, so that what the peer said may not have been heard. */
  get paused(): boolean {
    return this.held;
  }

  /** Queues one PDU. Throws MalformedPdu, with nothing queued, where a field does not fit the standard. */
  send(body: PduBody, sequenceNumber: number, commandStatus: number): void {
    if (this.stopped) return;
    encodePdu(this.writer, body, sequenceNumber, commandStatus);
    this.scheduleTurn();
  }

  /** Looks at the end of this turn whether the owner can take more. */
  scheduleTurn(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    setImmediate(this.endTurn);
  }

  /** Hands what is queued to the socket now. */
  flush(): void {
    if (this.stopped || this.writer.size === 0) return;
    this.writes += 1;
    this.socket.write(this.writer.take());
  }

  /** Hands over what is queued, then closes the connection. */
  end(): void {
    if (this.stopped) return;
    this.flush();
    this.socket.end();
    // Reading on keeps unread octets from turning the end into a reset, which would take our last words away.
    this.mute();
    const grace = setTimeout(() => this.socket.destroy(), CLOSE_GRACE_MS);
    this.socket.once('close', () => clearTimeout(grace));
  }

  /** Cuts the connection. */
  destroy(): void {
    this.stopped = true;
    this.socket.destroy();
  }

  /** Leaves the connection open, but forgets what is queued and whatever arrives. */
  mute(): void {
    this.stopped = true;
    this.socket.resume();
  }

  private readonly endTurn = (): void => {
    this.flushScheduled = false;
    this.flush();
    if (this.held) this.read();
  };

  private onData(chunk: Buffer): void {
    if (this.stopped || this.socket.destroyed) return;
    this.framer.append(chunk);
    this.read();
  }

  private onEnd(reason: string): void {
    if (!this.stopped) this.handlers.onEnd(reason);
  }

  private read(): void {
    let frame: Buffer | null = null;
    do {
      if (this.stopped) return;
      if (this.socket.writableLength > MAX_UNSENT_OCTETS || !this.handlers.canTake()) {
        this.pause();
        return;
      }
      frame = this.nextFrame();
      if (frame !== null) this.handlers.onFrame(frame);
    } while (frame !== null);
    this.resume();
  }

  private nextFrame(): Buffer | null {
    try {
      return this.framer.next();
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.handlers.onFramingError(error);
      return null;
    }
  }

  private pause(): void {
    this.held = true;
    this.socket.pause();
  }

  private resume(): void {
    if (!this.held) return;
    this.held = false;
    this.socket.resume();
  }
}
