import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Listens for a moment where the application is going to: a start that cannot end well ends before a database is made and
 * messages are sent.
 *
 * @param port where the application will listen; for 0, any port that is free, there is nothing to find out
 * @throws what listening would throw, EADDRINUSE where the port is taken
 */
export async function assertFree(port: number, host: string): Promise<void> {
  if (port === 0) return;
  const server = createServer((socket) => socket.destroy()).listen(port, host);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
