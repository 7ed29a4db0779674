import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { prepareDataDir, reasonOf } from './data-dir.js';

export interface DataDirLock {
  /** Lets the next instance in; may be called again. */
  release(): Promise<void>;
}

type Claim = { held: boolean; readonly server: Server; readonly path: string };

// Socket paths end at 104 bytes on macOS and 108 on Linux, the closing zero included.
const MAX_SOCKET_PATH_BYTES = 100;
const ANSWER_TIMEOUT_MS = 2_000;
const CLAIM_ATTEMPTS = 20;
const MAX_RETRY_DELAY_MS = 100;
const PUBLISHED = '.lock';
const HELD = 'held';
const CLAIMING = 'claiming';

/**
 * Makes this process the only one that uses a data directory, until `release` or its end, however it ends.
 * Throws an error that names the directory, and the owner's pid, when another process has it.
 *
 * Each process publishes a socket of its own name in a lock directory, and looks at the others only then: of two that
 * start together at least one sees the other. A socket that refuses a connection belonged to a process that is gone,
 * and no process can ever listen on it again, so removing it is safe at any moment. Pids play no part in the decision.
 */
export async function lockDataDir(dir: string): Promise<DataDirLock> {
  const dataDir = await prepareDataDir(dir);
  const lockDir = await prepareLockDir(dataDir);
  for (let attempt = 0; attempt < CLAIM_ATTEMPTS; attempt++) {
    const claim = await publish(lockDir, dataDir);
    if (!claim) continue;
    const rival = await findRival(lockDir, claim.path);
    if (!rival) {
      claim.held = true;
      await removeUnpublished(lockDir);
      return { release: () => withdraw(claim) };
    }
    await withdraw(claim);
    if (rival.held) throw new Error(`the data directory ${dataDir} is in use by the process ${rival.pid}`);
    // Both withdraw, so both must come back at different times.
    await delay(Math.random() * MAX_RETRY_DELAY_MS);
  }
  throw new Error(`the data directory ${dataDir} is wanted by several processes at once: start one of them`);
}

/** The directory of the sockets: below the data, or where paths are short if its own is too long for a socket. */
async function prepareLockDir(dataDir: string): Promise<string> {
  let lockDir = join(dataDir, 'lock');
  if (Buffer.byteLength(socketPath(lockDir)) > MAX_SOCKET_PATH_BYTES) {
    const key = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
    lockDir = join(tmpdir(), `trunkline-${key}`);
  }
  try {
    await mkdir(lockDir, { recursive: true, mode: 0o700 });
    return lockDir;
  } catch (error) {
    throw new Error(`the lock directory ${lockDir} of ${dataDir} cannot be made: ${reasonOf(error)}`, { cause: error });
  }
}

function socketPath(lockDir: string): string {
  return join(lockDir, `${String(process.pid).padStart(7, '0')}-${randomBytes(6).toString('hex')}${PUBLISHED}`);
}

/**
 * Listens, and shows itself only then: a visible socket that refuses connections is always a dead one.
 * Undefined when an owner took the hidden socket for a dead one's.
 */
async function publish(lockDir: string, dataDir: string): Promise<Claim | undefined> {
  const path = socketPath(lockDir);
  const hidden = path.slice(0, -PUBLISHED.length);
  const server = createServer((socket) => {
    // Whoever asks may hang up at any moment.
    socket.on('error', () => undefined);
    socket.end(claim.held ? HELD : CLAIMING);
  });
  const claim: Claim = { held: false, server, path };
  try {
    await listen(server, hidden);
    await rename(hidden, path);
    return claim;
  } catch (error) {
    server.close();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`the data directory ${dataDir} cannot be locked in ${lockDir}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  // The lock alone is no reason to keep the process alive.
  server.unref();
}

async function withdraw({ server, path }: Claim): Promise<void> {
  await rm(path, { force: true });
  if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** Another living process that holds or claims the directory; one that holds it goes before one that claims it. */
async function findRival(lockDir: string, own: string): Promise<{ pid: number; held: boolean } | undefined> {
  let rival: { pid: number; held: boolean } | undefined;
  for (const name of await readdir(lockDir)) {
    const path = join(lockDir, name);
    if (path === own || !name.endsWith(PUBLISHED)) continue;
    const answer = await ask(path);
    if (answer === 'gone') await rm(path, { force: true });
    else if (!rival || answer === HELD) rival = { pid: Number.parseInt(name, 10), held: answer === HELD };
  }
  return rival;
}

/** Asks a socket's owner. One that takes the connection but says nothing, such as a stopped process, holds it. */
async function ask(path: string): Promise<'held' | 'claiming' | 'gone'> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let answer = '';
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
      resolve(HELD);
      socket.destroy();
    });
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? '';
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve('gone');
      // It went away while we asked: whether for good, the next attempt shows. Any other error hides its owner.
      else resolve(code === 'ECONNRESET' || code === 'EPIPE' ? CLAIMING : HELD);
    });
    socket.on('close', () => resolve(answer === HELD ? HELD : CLAIMING));
  });
}

/** Removes what processes left that were killed before they showed themselves. One that is alive starts over. */
async function removeUnpublished(lockDir: string): Promise<void> {
  for (const name of await readdir(lockDir)) {
    if (!name.endsWith(PUBLISHED)) await rm(join(lockDir, name), { force: true });
  }
}
