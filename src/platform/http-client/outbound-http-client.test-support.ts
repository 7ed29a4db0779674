import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { OutboundHttpClient, type OutboundHttpClientOptions } from './outbound-http-client.js';
import type { OutboundResult } from './outbound-result.js';

const OPTIONS: OutboundHttpClientOptions = {
  allowedCidrs: ['127.0.0.0/8'],
  timeoutMs: 10_000,
  maxResponseBytes: 1_000,
  maxHeaderBytes: 4_096,
  connectionsPerOrigin: 2,
  userAgent: 'test-agent/1.0',
};

const closers: Array<() => Promise<unknown>> = [];

/** Closes what the helpers opened, in reverse order; every suite that uses them calls it after each test. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** Has closeAll call `close` too. */
export function closeLater(close: () => Promise<unknown>): void {
  closers.push(close);
}

export function clientWith(options: Partial<OutboundHttpClientOptions> = {}): OutboundHttpClient {
  const client = new OutboundHttpClient({ ...OPTIONS, ...options });
  closers.push(() => client.close());
  return client;
}

export async function listen<T extends Server | TcpServer>(server: T, host = '127.0.0.1'): Promise<string> {
  server.listen(0, host);
  await once(server, 'listening');
  closers.push(async () => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

export function serve(listener: RequestListener): Promise<string> {
  return listen(createServer(listener));
}

/** A server that answers every connection in raw TCP. */
export function serveRaw(answer: string | null): Promise<string> {
  return listen(
    createTcpServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => (answer === null ? socket.destroy() : socket.end(answer)));
    }),
  );
}

/** Requests that wait for their answer until the test gives it. */
export class HeldRequests {
  readonly responses: ServerResponse[] = [];
  readonly #arrivals: Array<() => void> = [];

  readonly listener = (_request: IncomingMessage, response: ServerResponse): void => {
    this.responses.push(response);
    for (const arrived of this.#arrivals.splice(0)) arrived();
  };

  async arrived(count: number): Promise<void> {
    while (this.responses.length < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }
}

export function get(client: OutboundHttpClient, url: string, timeoutMs?: number): Promise<OutboundResult> {
  return client.request({ url, method: 'GET', timeoutMs });
}

export function summaryOf(result: OutboundResult): string {
  return result.kind === 'response' ? `${result.status} ${result.body}` : result.reason;
}
