import { once } from 'node:events';
import type net from 'node:net';

const REOPEN_EVERY_MS = 100;

/** A server's port, which can be closed and opened again: while it is closed, connections to it are refused. */
export class ListeningPort {
  private number = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly server: net.Server) {}

  get port(): number {
    return this.number;
  }

  /** Listens on that port, or on any where it is taken. */
  async open(port: number): Promise<void> {
    try {
      await this.listen(port);
    } catch (error) {
      if (port === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await this.listen(0);
    }
    // A connection that could not be accepted is its client's loss, not the carrier's end.
    this.server.on('error', () => undefined);
    this.number = (this.server.address() as net.AddressInfo).port;
  }

  /** Listens on its port again, as soon as that can be had. */
  reopen(): void {
    this.listen(this.number).catch(() => {
      this.timer = setTimeout(() => this.reopen(), REOPEN_EVERY_MS);
    });
  }

  /** Takes no more connections; resolves when those that are open have ended, which is their owner's to do. */
  close(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    return new Promise((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private async listen(port: number): Promise<void> {
    await once(this.server.listen({ host: '127.0.0.1', port }), 'listening');
  }
}
