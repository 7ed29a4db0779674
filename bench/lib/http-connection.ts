import { connect, type Socket } from 'node:net';

const HEADER_END = Buffer.from('\r\n\r\n');
const LENGTH = Buffer.from('ontent-length: ');
const LENGTH_CAPITAL = Buffer.from('ontent-Length: ');
const STATUS_AT = 9;
const DIGIT_ZERO = 48;
const DIGIT_NINE = 57;
const NOTHING = Buffer.alloc(0);
const RECONNECT_MS = 50;

export interface ConnectionHandlers {
  /** The answer to the request under way; `body` is valid within this call only. */
  onAnswer(connection: HttpConnection, status: number, body: Buffer): void;
  /** The connection broke; its request, if there was one under way, has no answer. */
  onBroken(connection: HttpConnection, wasBusy: boolean): void;
  onReady(connection: HttpConnection): void;
}

/**
 * One HTTP/1.1 connection, kept alive, one request at a time. It reads no more of an answer than it must: status, length
 * and body. It opens itself again when it was lost.
 */
export class HttpConnection {
  /** When the request under way was meant to leave; what that means is its user's. */
  startedMs = 0;
  /** When it left. */
  sentMs = 0;
  private socket: Socket | null = null;
  private collected: Buffer = NOTHING;
  private busy = false;
  private closed = false;

  constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly handlers: ConnectionHandlers,
  ) {}

  open(): void {
    const socket = connect({ host: this.host, port: this.port, noDelay: true });
    this.socket = socket;
    this.collected = NOTHING;
    socket.once('connect', () => this.handlers.onReady(this));
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => this.onClose(socket));
  }

  get isBusy(): boolean {
    return this.busy;
  }

  send(request: Buffer): void {
    this.busy = true;
    this.socket!.write(request);
  }

  /** Gives up the request under way: the connection is cut and opened anew. */
  abandon(): void {
    this.busy = false;
    this.socket?.destroy();
  }

  close(): void {
    this.closed = true;
    this.socket?.destroy();
  }

  private onData(chunk: Buffer): void {
    const octets = this.collected.length === 0 ? chunk : Buffer.concat([this.collected, chunk]);
    const headEnd = octets.indexOf(HEADER_END);
    const bodyAt = headEnd + HEADER_END.length;
    const end = headEnd < 0 ? -1 : bodyAt + contentLength(octets, headEnd);
    if (headEnd < 0 || octets.length < end) {
      this.collected = octets;
      return;
    }
    this.collected = NOTHING;
    if (!this.busy) return;
    this.busy = false;
    const status =
      (octets[STATUS_AT]! - DIGIT_ZERO) * 100 +
      (octets[STATUS_AT + 1]! - DIGIT_ZERO) * 10 +
      (octets[STATUS_AT + 2]! - DIGIT_ZERO);
    this.handlers.onAnswer(this, status, octets.subarray(bodyAt, end));
  }

  private onClose(socket: Socket): void {
    if (this.socket !== socket || this.closed) return;
    const wasBusy = this.busy;
    this.busy = false;
    this.handlers.onBroken(this, wasBusy);
    setTimeout(() => !this.closed && this.open(), RECONNECT_MS);
  }
}

/** An answer without a length has no body, as 204 has none. */
function contentLength(octets: Buffer, headEnd: number): number {
  let at = octets.indexOf(LENGTH);
  if (at < 0 || at > headEnd) at = octets.indexOf(LENGTH_CAPITAL);
  if (at < 0 || at > headEnd) return 0;
  let length = 0;
  for (let i = at + LENGTH.length; octets[i]! >= DIGIT_ZERO && octets[i]! <= DIGIT_NINE; i++) {
    length = length * 10 + octets[i]! - DIGIT_ZERO;
  }
  return length;
}
