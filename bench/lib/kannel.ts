import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.js';
import { Daemon } from './daemon.js';
import { freePort, listenOn } from './ports.js';
import { accepts } from './redis.js';
import { LeftOut } from './scenario.js';
import { waitFor } from './wait.js';

const BEARERBOX = '/usr/sbin/bearerbox';
const SMSBOX = '/usr/sbin/smsbox';
const DRIVE_SMPP = '/usr/lib/kannel/test/drive_smpp';
/** drive_smpp looks for a bearerbox here, wherever the real one is, and ends when nobody answers. */
const DRIVE_SMPP_SMSBOX_PORT = 13_001;
const READY_MS = 20_000;
/** Panics only: a line per message would be measured otherwise. */
const QUIET = '4';

export const SYSTEM_ID = 'foo';
export const PASSWORD = 'bar';

/** Throws LeftOut where Debian's packages kannel and kannel-extras are not installed. */
export function requireKannel(): void {
  for (const program of [BEARERBOX, SMSBOX, DRIVE_SMPP]) {
    if (!existsSync(program)) throw new LeftOut(`${program} is not on this machine`);
  }
}

/**
 * Kannel's own test carrier, which answers submissions and sends nothing. It needs listenForDriveSmpp, and ends with its
 * first connection.
 */
export async function startDriveSmpp(cleanup: Cleanup): Promise<number> {
  const port = await freePort();
  const daemon = Daemon.start(DRIVE_SMPP, ['-p', `${port}`, '-m', '0', '-v', QUIET], cleanup);
  await waitFor(
    async () => {
      daemon.check();
      return isListening(port);
    },
    { what: 'drive_smpp listens', timeoutMs: READY_MS },
  );
  return port;
}

/** A look that opens no connection: the first one that ends would end drive_smpp. */
async function isListening(port: number): Promise<boolean> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  return tables.some((table) => table.split('\n').some((line) => line.includes(local) && line.includes(' 0A ')));
}

/** Takes the place of the bearerbox that drive_smpp looks for, once for a scenario, and stays silent. */
export async function listenForDriveSmpp(cleanup: Cleanup): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  try {
    await listenOn(server, DRIVE_SMPP_SMSBOX_PORT);
  } catch {
    throw new LeftOut(`port ${DRIVE_SMPP_SMSBOX_PORT}, which drive_smpp insists on, is taken`);
  }
}

/** Kannel in front of a carrier: where it takes messages over HTTP, and how many it has had answered. */
export interface Kannel {
  readonly url: string;
  answered(): Promise<number>;
}

export async function startKannel(smscPort: number, window: number, cleanup: Cleanup): Promise<Kannel> {
  const directory = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  cleanup.add(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'spool'));
  const [admin, smsbox, http] = [await freePort(), await freePort(), await freePort()];
  const file = join(directory, 'kannel.conf');
  await writeFile(file, configuration({ directory, admin, smsbox, http, smscPort, window }));
  const bearerbox = Daemon.start(BEARERBOX, ['-v', QUIET, file], cleanup, directory);
  await listens(bearerbox, smsbox, 'bearerbox');
  await listens(Daemon.start(SMSBOX, ['-v', QUIET, file], cleanup, directory), http, 'smsbox');
  const status = async () => (await fetch(`http://127.0.0.1:${admin}/status.txt?password=bench`)).text();
  await waitFor(async () => /SMPP:\S+ \(online/.test(await status()), { what: 'Kannel is bound', timeoutMs: READY_MS });
  return {
    url: `http://127.0.0.1:${http}`,
    answered: async () => Number(/SMS: received \d+ \(\d+ queued\), sent (\d+)/.exec(await status())?.[1] ?? 0),
  };
}

async function listens(daemon: Daemon, port: number, what: string): Promise<void> {
  await waitFor(
    () => {
      daemon.check();
      return accepts(port);
    },
    { what: `${what} listens`, timeoutMs: READY_MS },
  );
}

/** A send as Kannel's HTTP interface takes it, with places for the number (see Template). */
export function kannelRequest(): string {
  const text = 'Your+code+is+######.+It+is+good+for+ten+minutes.+Order+##########.';
  const path = `/cgi-bin/sendsms?username=bench&password=bench&from=15005551000&to=1555#######&text=${text}`;
  return [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: keep-alive', '', ''].join('\r\n');
}

interface Ports {
  readonly directory: string;
  readonly admin: number;
  readonly smsbox: number;
  readonly http: number;
  readonly smscPort: number;
  readonly window: number;
}

function configuration({ directory, admin, smsbox, http, smscPort, window }: Ports): string {
  return `
group = core
admin-port = ${admin}
admin-interface = 127.0.0.1
admin-password = bench
status-password = bench
smsbox-port = ${smsbox}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
store-type = spool
store-location = "${join(directory, 'spool')}"

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = ${smscPort}
smsc-username = "${SYSTEM_ID}"
smsc-password = "${PASSWORD}"
system-type = "VMA"
max-pending-submits = ${window}

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = ${smsbox}
sendsms-port = ${http}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = bench
password = bench

group = sms-service
keyword = default
text = "none"
max-messages = 0
`;
}
