import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.js';

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 10_000;

/** The user that PostgreSQL's programs run as. */
export interface Identity {
  readonly description: string;
  /** The owner that the database's files must have, where it is another than this process. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** What stands before the program on the command line. */
  readonly prefix: readonly string[];
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The environment that PostgreSQL's programs see: nothing of ours, so that no PG* variable changes their behaviour. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Starts a program as the given identity. Not every user may enter our own working directory, and PostgreSQL asks for
 * its own, so it starts in the root directory.
 */
export function spawnAs(
  identity: Identity,
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const [command, ...rest] = [...identity.prefix, program, ...args];
  return spawn(command ?? program, rest, { cwd: '/', env: ENVIRONMENT, ...identity.owner, ...options });
}

/**
 * Chooses the user to run PostgreSQL as, which refuses to run as root and whose initdb wants a user with a name.
 *
 * A named user other than root runs it as itself. Otherwise a user namespace maps this user to a named one, which
 * keeps the files ours and reachable; where the machine does not allow that, root drops to another user.
 * `database` is the directory with the database, which need not exist yet; `dataDir` is where it will be.
 * Throws an error that names the directory in the way when no user can run it.
 */
export async function chooseIdentity(binaries: Binaries, dataDir: string, database: string): Promise<Identity> {
  const uid = process.getuid?.() ?? 0;
  const users = await namedUsers();
  if (uid !== 0 && (users.length === 0 || users.some((user) => user.uid === uid)))
    return { description: 'this user', prefix: [] };

  const files = await stat(database).catch(() => undefined);
  const candidates =
    uid === 0 ? rootCandidates(users, files, [await stat(dataDir), await stat(binaries.postgres)]) : [mapped(users)];
  const refusals: string[] = [];
  for (const candidate of candidates) {
    const refusal = await probe(candidate, binaries, dataDir);
    if (refusal === undefined) return candidate;
    refusals.push(`${candidate.description}: ${refusal}`);
  }
  const who = uid === 0 ? 'root' : `the user id ${uid}, which has no name`;
  throw new Error(
    `PostgreSQL refuses to run as ${who}, and no other way works here (${refusals.join('; ')}). ` +
      'Start as an ordinary user, open that directory to other users, or set DATABASE_URL.',
  );
}

function rootCandidates(
  users: readonly User[],
  files: { uid: number; gid: number } | undefined,
  owners: readonly { uid: number; gid: number }[],
): Identity[] {
  // A database that another user made can be opened by that user only.
  if (files && files.uid !== 0) return [dropped(files)];
  const named = new Set(users.map((user) => user.uid));
  const fallback = users.find((user) => user.name === 'postgres') ?? users.find((user) => user.name === 'nobody');
  const candidates = [mapped(users)];
  // Root in another user's private home: that user can reach what is there.
  candidates.push(...owners.filter(({ uid }) => uid !== 0 && named.has(uid)).map(dropped));
  if (fallback) candidates.push(dropped(fallback));
  return candidates;
}

function mapped(users: readonly User[]): Identity {
  const user = users.find((each) => each.uid === 1000) ??
    users.find((each) => each.uid !== 0) ?? { uid: 1000, gid: 1000 };
  return {
    description: 'a user namespace',
    prefix: ['unshare', '-U', `--map-user=${user.uid}`, `--map-group=${user.gid}`],
  };
}

function dropped({ uid, gid }: { uid: number; gid: number }): Identity {
  return { description: `the user id ${uid}`, owner: { uid, gid }, prefix: [] };
}

async function namedUsers(): Promise<User[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

/** Runs `postgres --version` as the identity. Returns undefined when it can, otherwise what is in the way. */
async function probe(identity: Identity, binaries: Binaries, dataDir: string): Promise<string | undefined> {
  // In a user namespace root is no more than the owner of its files.
  const user = identity.owner ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  for (const path of [binaries.postgres, dataDir]) {
    const barrier = await findBarrier(path, user);
    // The data directory itself is opened to another user later on; what lies above it is not ours to change.
    if (barrier && !(identity.owner && barrier === dataDir)) return `it may not enter ${barrier}`;
  }
  const [command, ...args] = [...identity.prefix, binaries.postgres, '--version'];
  try {
    await run(command ?? binaries.postgres, args, {
      cwd: '/',
      env: ENVIRONMENT,
      timeout: PROBE_TIMEOUT_MS,
      ...identity.owner,
    });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return (stderr || message).trim().replaceAll('\n', ' ');
  }
}

/** The first directory on the way to `path` that the user may not enter. */
async function findBarrier(path: string, user: { uid: number; gid: number }): Promise<string | undefined> {
  const parents: string[] = [];
  for (let at = resolve(path); at !== dirname(at); at = dirname(at)) parents.unshift(at);
  for (const at of parents) {
    const { mode, uid, gid } = await stat(at);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return at;
  }
  return undefined;
}
