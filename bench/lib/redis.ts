import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.js';
import { Daemon } from './daemon.js';
import { freePort } from './ports.js';
import { waitFor } from './wait.js';

const PROGRAM = 'redis-server';
const READY_MS = 10_000;

export function hasRedis(): boolean {
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, PROGRAM)));
}

/** A Redis of a scenario's own, durable as its documentation advises for queues; resolves with its address. */
export async function startRedis(cleanup: Cleanup): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  cleanup.add(() => rm(directory, { recursive: true, force: true }));
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'yes'];
  const daemon = Daemon.start(PROGRAM, [...args, '--maxmemory-policy', 'noeviction'], cleanup);
  await waitFor(
    () => {
      daemon.check();
      return accepts(port);
    },
    { what: 'Redis answers', timeoutMs: READY_MS },
  );
  return `redis://127.0.0.1:${port}`;
}

/** Whether something listens there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
