import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A connection on which no request has come by then is closed, however new it is. */
const REQUEST_GRACE_MS = 500;
/** By then an answer that its client still reads, or a request that it still sends, is given up. */
const ANSWER_GRACE_MS = 10_000;

/**
 * The end of an HTTP server's connections: those with a request under way end with its answer, the others at once. Node
 * closes idle ones only, and neither those that are new nor those on which an answer ends later.
 */
export class Drain {
  private readonly sockets = new Set<Socket>();
  private readonly answers = new Set<ServerResponse>();
  private isClosing = false;

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** A request has come. */
  begin(answer: ServerResponse): void {
    this.answers.add(answer);
  }

  /** Its answer has ended. */
  end(answer: ServerResponse): void {
    this.answers.delete(answer);
    if (this.isClosing) setImmediate(() => this.server.closeIdleConnections());
  }

  /** From now on connections end; the server has stopped listening. */
  close(): void {
    this.isClosing = true;
    for (const answer of this.answers) if (!answer.headersSent) answer.setHeader('connection', 'close');
    const timers = [
      setTimeout(() => this.closeUnused(), REQUEST_GRACE_MS),
      setTimeout(() => this.server.closeAllConnections(), ANSWER_GRACE_MS),
    ];
    this.server.once('close', () => timers.forEach(clearTimeout));
    for (const timer of timers) timer.unref();
  }

  private closeUnused(): void {
    const used = new Set([...this.answers].map((answer) => answer.socket));
    for (const socket of this.sockets) if (!used.has(socket)) socket.destroy();
  }
}
