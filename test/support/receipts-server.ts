import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TakeReceipts } from '../../src/modules/carriers/application/take-receipts.js';
import { isFailure } from '../../src/shared/failure.js';

/** Takes receipts over HTTP as the product's route does, for processes that are tested without their edge. */
export class ReceiptsServer {
  /** Whose use case it calls; without one it answers 503. */
  takes: TakeReceipts | null = null;
  /** The path and body of each request, oldest first. */
  readonly requests: { readonly url: string; readonly body: Buffer; readonly headers: http.IncomingHttpHeaders }[] = [];
  private readonly server = http.createServer((request, response) => {
    void this.answer(request).then((status) => response.writeHead(status).end());
  });

  static async start(): Promise<ReceiptsServer> {
    const receipts = new ReceiptsServer();
    await new Promise<void>((resolve) => receipts.server.listen(0, '127.0.0.1', resolve));
    return receipts;
  }

  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: http.IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    this.requests.push({ url: request.url!, body, headers: request.headers });
    const url = new URL(request.url!, this.base);
    const header = (name: string) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : null;
    };
    try {
      await this.takes!.take({
        carrier: url.pathname.split('/')[3] ?? '',
        token: url.searchParams.get('token'),
        header,
        isForm: header('content-type') === 'application/x-www-form-urlencoded',
        isSigned: true,
        body,
      });
      return 204;
    } catch (error) {
      if (isFailure(error, 'unauthenticated')) return 401;
      return isFailure(error) && error.failure.startsWith('invalid') ? 400 : 503;
    }
  }
}
