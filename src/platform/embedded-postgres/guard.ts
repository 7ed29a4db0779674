import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Starts a shell that stops the server with that pid as soon as this process has ended, however it ended: it waits for
 * the end of a pipe that this process holds. Kill it when the server has stopped.
 */
export function guardServer(pid: number): ChildProcess {
  const script = 'read line; kill -INT "$1"';
  const guard = spawn('/bin/sh', ['-c', script, 'sh', String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard the server would outlive a killed process, which the next start deals with.
  guard.on('error', () => undefined);
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return guard;
}
