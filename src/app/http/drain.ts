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
  /**
   * Every connection with its newest answer, null where that has ended. By connection, whose entries stay: in a set of
   * answers, each rehash would leave a table behind that leads to the next one, and through a single one that has grown
   * old every answer lives on, with all that hangs on it, until the whole heap is collected.
   */
  private readonly answers = new Map<Socket, ServerResponse | null>();
  private isClosing = false;

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.answers.set(socket, null);
      socket.once('close', () => this.answers.delete(socket));
    });
  }

  /** A request has come. */
  begin(answer: ServerResponse): void {
    const { socket } = answer.req;
    if (this.answers.has(socket)) this.answers.set(socket, answer);
  }

  /** Its answer has ended. */
  end(answer: ServerResponse): void {
    const { socket } = answer.req;
    if (this.answers.get(socket) === answer) this.answers.set(socket, null);
    if (this.isClosing) setImmediate(() => this.server.closeIdleConnections());
  }

  /** From now on connections end; the server has stopped listening. */
  close(): void {
    this.isClosing = true;
    for (const answer of this.answers.values()) {
      if (answer && !answer.headersSent) answer.setHeader('connection', 'close');
    }
    const timers = [
      setTimeout(() => this.closeUnused(), REQUEST_GRACE_MS),
      setTimeout(() => this.server.closeAllConnections(), ANSWER_GRACE_MS),
    ];
    this.server.once('close', () => timers.forEach(clearTimeout));
    for (const timer of timers) timer.unref();
  }

  private closeUnused(): void {
    for (const [socket, answer] of this.answers) if (!answer) socket.destroy();
  }
}
