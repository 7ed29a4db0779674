import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cleanup } from './cleanup.js';

let isWanted = true;

/** From now on the product is started without a place to send its traces to, and so makes none. */
export function leaveTracesOut(): void {
  isWanted = false;
}

/** What the product sends its traces to: takes them and forgets them. Its endpoint, or null where it was left out. */
export async function startTraceSink(cleanup: Cleanup): Promise<string | null> {
  if (!isWanted) return null;
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
