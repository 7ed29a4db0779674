import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Options, transformSync } from '@swc/core';
import { ObservedClient } from '../smpp/test-support/test-smsc.js';
import { until } from '../smpp/test-support/until.js';
import { decodeText } from '../smpp/text.js';
import { KnobError } from './knobs.js';
import { SimulatorProcess } from './simulator-process.js';
import { idOf, receiptsOf, textTo } from './test-support/simulation.js';

/** Folders, below the root of the project, that the simulator's process is made of. */
const SOURCES = [
  'src/shared',
  'src/modules/carriers/domain',
  'src/platform/http-client',
  'src/modules/carriers/infrastructure/smpp',
  'src/modules/carriers/infrastructure/simulator',
];

const CARRIERS = [
  { name: 'sim-smpp-1', type: 'smpp', password: 'secret' },
  { name: 'sim-smpp-2', type: 'smpp', password: 'secret' },
  { name: 'sim-http-1', type: 'http', password: 'secret' },
] as const;

const build = buildSimulator();
let dir: string;
let simulator: SimulatorProcess;
const log: string[] = [];
const clients: ObservedClient[] = [];

function start(): Promise<SimulatorProcess> {
  return SimulatorProcess.start({ dir, carriers: CARRIERS, log: (line) => log.push(line), entry: build.entry });
}

function client(name = 'sim-smpp-1'): Promise<ObservedClient> {
  const made = new ObservedClient(simulator.ports[name]!, { systemId: name });
  clients.push(made);
  return made.bound();
}

async function listens(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'simulator-'));
  log.length = 0;
  simulator = await start();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((each) => each.client.stop()));
  await simulator.stop();
  rmSync(dir, { recursive: true });
});

afterAll(() => {
  rmSync(build.directory, { recursive: true });
});

test('a phone writes through a carrier to whoever is bound to receive', async () => {
  const message = { from: '+15551234567', to: '+15005550006', text: 'x'.repeat(161), concatenation: 'udh' } as const;
  await expect(simulator.inbound('sim-smpp-1', message)).rejects.toThrow('no client is bound to receive');
  const { delivered } = await client();
  expect(await simulator.inbound('sim-smpp-1', message)).toEqual({ encoding: 'GSM-7', parts: 2 });
  expect(delivered.map((pdu) => decodeText(pdu))).toMatchObject([
    { text: 'x'.repeat(153), concatenation: { part: 1, total: 2 } },
    { text: 'x'.repeat(8), concatenation: { part: 2, total: 2 } },
  ]);
  expect(delivered[0]).toMatchObject({ sourceAddress: '15551234567', sourceTon: 1, destinationAddress: '15005550006' });
});

test('each carrier has its port, its knobs and its record', async () => {
  const [one, two] = [await client('sim-smpp-1'), await client('sim-smpp-2')];
  const id = idOf(await one.client.submit(textTo('+15555550100')));
  await two.client.submit(textTo('+15555550101'));
  await two.client.submit(textTo('+15555550102'));
  expect(await simulator.get('sim-smpp-1')).toMatchObject({
    name: 'sim-smpp-1',
    counters: { submitted: 1, sessions: 1 },
  });
  const { data } = await simulator.submissions('sim-smpp-1', { limit: 10 });
  expect(data).toMatchObject([{ sequence: 1, id, destination: '+15555550100', text: 'hello' }]);
  const second = await simulator.submissions('sim-smpp-2', { after: 1, limit: 10 });
  expect(second).toMatchObject({ data: [{ sequence: 2, destination: '+15555550102' }], hasMore: false });
  expect((await simulator.put('sim-smpp-2', { error_rate: 1 })).knobs.error_rate).toBe(1);
  expect(await two.client.submit(textTo('+15555550103'))).toMatchObject({ commandStatus: 0x08 });
  expect((await simulator.get('sim-smpp-1')).knobs.error_rate).toBe(0);
  const answer = await fetch(`http://127.0.0.1:${simulator.ports['sim-http-1']}/messages`, {
    method: 'POST',
    headers: { authorization: 'Bearer secret' },
    body: JSON.stringify({ to: '+15555550104', from: '+15005550006', text: 'over HTTP' }),
  });
  expect(answer.status).toBe(201);
  expect(await simulator.get('sim-http-1')).toMatchObject({ type: 'http', counters: { submitted: 1, accepted: 1 } });
  expect(await simulator.submissions('sim-http-1', { limit: 10 })).toMatchObject({ data: [{ text: 'over HTTP' }] });
});

test('what is asked wrongly is refused by name and harms nobody', async () => {
  await expect(simulator.put('sim-smpp-1', { outage: 'x', junk: 1 })).rejects.toThrow(KnobError);
  await expect(simulator.put('sim-smpp-1', { outage: 'x' })).rejects.toMatchObject({ errors: [{ field: 'outage' }] });
  await expect(simulator.submissions('sim-smpp-1', { limit: 0 })).rejects.toThrow(/limit/);
  await expect(simulator.get('nobody')).rejects.toThrow('there is no simulated carrier "nobody"');
  expect(await simulator.get('sim-smpp-1')).toMatchObject({ name: 'sim-smpp-1' });
  expect(log).toEqual([]);
});

test('after a kill -9 it is back with its ports, knobs, record and the receipts that it owed', async () => {
  const before = await client();
  await simulator.put('sim-smpp-1', { receipt_delay_ms: 60_000 });
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => before.client.submit(textTo('+15555550100'))));
  const ids = outcomes.map(idOf);
  const { ports, pid } = simulator;
  process.kill(pid!, 'SIGKILL');
  await until('another process took its place', () => simulator.pid !== null && simulator.pid !== pid);
  const { data } = await simulator.submissions('sim-smpp-1', { limit: 100 });
  expect(data.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect((await simulator.get('sim-smpp-1')).knobs.receipt_delay_ms).toBe(60_000);
  expect(simulator.ports).toEqual(ports);
  await until('the receipts came', () => before.delivered.length >= 10);
  expect(new Set(receiptsOf(before).map(({ messageId }) => messageId))).toEqual(new Set(ids));
  expect(log).toEqual(['the simulator ended: SIGKILL', 'the simulator was restarted']);
});

test('a request during a restart waits for it', async () => {
  const { pid } = simulator;
  process.kill(pid!, 'SIGKILL');
  await until('it is gone', () => simulator.pid !== pid);
  expect(await simulator.get('sim-smpp-1')).toMatchObject({ name: 'sim-smpp-1' });
});

test('Ctrl-C does not end it, stop() does', async () => {
  const { pid } = simulator;
  process.kill(pid!, 'SIGINT');
  expect(await simulator.get('sim-smpp-1')).toMatchObject({ name: 'sim-smpp-1' });
  await simulator.stop();
  expect(isAlive(pid!)).toBe(false);
  await simulator.stop();
  await expect(simulator.get('sim-smpp-1')).rejects.toThrow('the simulator is not running');
});

test('it ends with its parent, even if the parent is killed', async () => {
  const script = path.join(build.directory, 'parent.js');
  const handle = new URL('./simulator-process.js', build.entry).href;
  writeFileSync(
    script,
    `import { SimulatorProcess } from ${JSON.stringify(handle)};
     const options = { dir: ${JSON.stringify(path.join(dir, 'other'))}, carriers: ${JSON.stringify(CARRIERS)}, log() {} };
     const { ports } = await SimulatorProcess.start(options);
     process.send(ports['sim-smpp-1']);`,
  );
  const parent = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  const ended = once(parent, 'exit');
  const [port] = (await once(parent, 'message')) as [number];
  expect(await listens(port)).toBe(true);
  parent.kill('SIGKILL');
  await ended;
  await until('nobody listens any more', async () => !(await listens(port)));
});

test('what cannot be started says why and leaves nothing running', async () => {
  const carriers = [{ name: 'a/b', type: 'smpp', password: 'x' }] as const;
  const started = SimulatorProcess.start({ dir, carriers, log: (line) => log.push(line), entry: build.entry });
  await expect(started).rejects.toThrow(/^name:/);
});

/** Compiles the simulator's process into a temporary directory, laid out like the sources. */
function buildSimulator(): { readonly directory: string; readonly entry: URL } {
  const root = process.cwd();
  const directory = mkdtempSync(path.join(tmpdir(), 'simulator-build-'));
  const { $schema: _, ...options } = JSON.parse(readFileSync(path.join(root, '.swcrc'), 'utf8')) as Options & {
    $schema?: string;
  };
  writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
  symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
  for (const folder of SOURCES) {
    mkdirSync(path.join(directory, folder), { recursive: true });
    for (const name of readdirSync(path.join(root, folder))) {
      if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
      const { code } = transformSync(readFileSync(path.join(root, folder, name), 'utf8'), { ...options, swcrc: false });
      writeFileSync(path.join(directory, folder, name.replace(/\.ts$/, '.js')), code);
    }
  }
  const main = path.join(directory, SOURCES.at(-1)!, 'simulator.main.js');
  return { directory, entry: pathToFileURL(main) };
}
