import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.js';
import { readyUrl } from '../product.js';
import type { PartInput } from './parts.js';

const LOADER = new URL('../../../scripts/lib/typescript.mjs', import.meta.url).href;

/** A process that runs a part of the product. */
export interface Part {
  readonly url: string;
  output(): string;
  /** kill -9, and waits for the end. */
  kill(): Promise<void>;
}

/** Starts a part and waits until it listens. */
export async function startPart(name: 'billing' | 'main', input: PartInput): Promise<Part> {
  const entry = fileURLToPath(new URL(`./${name}-process.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', LOADER, entry, JSON.stringify(input)], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const kill = () => killed(child);
  const ready = () => {
    if (child.exitCode !== null) throw new Error(`${name} ended at its start:\n${text}`);
    return readyUrl(text);
  };
  const what = () => `${name} is ready:\n${text}`;
  const url = await eventually(ready, { timeoutMs: 90_000, fatal: true, what }).catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  return { url, output: () => text, kill };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}

/** Ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
