import { chown, mkdir, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Identity } from './identity.js';

/** Of the address of a socket in the smallest of the systems that we run on (macOS), with the zero that ends it. */
const MAX_ADDRESS_BYTES = 104;
/** What the server puts into the directory: `.s.PGSQL.<port>`, and a lock beside it, which is no socket. */
const LONGEST_NAME = '/.s.PGSQL.65535';
const PROBE = 'probe';

/**
 * Makes the directory in which the server listens beside its TCP port: a round trip over a Unix-domain socket is shorter
 * than one over the loopback. Only the server's user, and root, can reach it.
 *
 * @param home the directory that holds the database
 * @returns its path; null where the path is too long for a socket, or the file system (as some that containers share with
 *   their hosts) holds none, so that TCP has to do
 */
export async function makeSocketDirectory(home: string, { owner }: Identity): Promise<string | null> {
  const path = join(home, 'run');
  // The path stands in a list that commas part and quotes end.
  if (Buffer.byteLength(path + LONGEST_NAME) >= MAX_ADDRESS_BYTES || /[",\s]/.test(path)) return null;
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (owner) await chown(path, owner.uid, owner.gid);
  return (await canHoldSockets(path)) ? path : null;
}

async function canHoldSockets(directory: string): Promise<boolean> {
  const path = join(directory, PROBE);
  await rm(path, { force: true }).catch(() => undefined);
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(path, () => server.close(() => resolve(true)));
  });
}

/**
 * Removes what dead servers left in it. A server that finds the lock of a dead one takes it for a living one when the
 * dead one's process id belongs to a stranger by now.
 */
export async function clearSocketDirectory(path: string): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { force: true });
}
