import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from '../lib/cleanup.js';
import { fetchPath, getJson, type Sender } from '../lib/requests.js';
import type { Scenario } from '../lib/scenario.js';
import { SingleSender } from '../lib/send.js';
import { waitFor } from '../lib/wait.js';

const PROJECT = join(import.meta.dirname, '../..');
const DEMO: Sender = {
  sid: 'AC00000000000000000000000000000001',
  token: '0123456789abcdef0123456789abcdef',
  from: '+15005550006',
};
const READY_MS = 120_000;
const DELIVERED_MS = 30_000;
const LOOK_MS = 10;
const STOP_MS = 40_000;

export const coldStart: Scenario = {
  name: 'cold-start',
  what: 'from `npm run dev`, installed, to the first delivered message; on an empty data directory, and again',
  async run({ quick, redisUrl, cleanup, progress }) {
    const rounds = quick ? 1 : 3;
    const [first, second]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
      cleanup.add(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
      first.push(await secondsToDelivery(dataDir, redisUrl, cleanup));
      second.push(await secondsToDelivery(dataDir, redisUrl, cleanup));
      progress(`round ${round + 1} of ${rounds}: ${first.at(-1)!.toFixed(1)} s, then ${second.at(-1)!.toFixed(1)} s`);
    }
    return {
      measures: [
        { name: 'empty data directory', unit: 's', figures: first, aim: { of: 'figure', atMost: 5 } },
        { name: 'second start', unit: 's', figures: second, aim: { of: 'figure', atMost: 5 } },
      ],
      notes: [],
    };
  },
};

async function secondsToDelivery(dataDir: string, redisUrl: string | null, cleanup: Cleanup): Promise<number> {
  const startedMs = performance.now();
  const child = spawn('npm', ['run', 'dev'], {
    cwd: PROJECT,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DATA_DIR: dataDir,
      PORT: '0',
      DEMO_ACCOUNT_SID: DEMO.sid,
      DEMO_AUTH_TOKEN: DEMO.token,
      ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // What npm starts is reached as a terminal's Ctrl-C reaches it: as a group.
    detached: true,
  });
  cleanup.add(() => stopGroup(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const url = await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`npm run dev ended:\n${output}`);
      return /Trunkline is ready at (\S+)/.exec(output)?.[1];
    },
    { what: 'npm run dev is ready', timeoutMs: READY_MS, everyMs: LOOK_MS },
  );
  const single = new SingleSender(url, DEMO, '+1555');
  const { sid } = await single.send().finally(() => single.close());
  await waitFor(
    async () => (await getJson<{ status: string }>(url, fetchPath(DEMO, sid), DEMO)).status === 'delivered',
    { what: 'the first message is delivered', timeoutMs: DELIVERED_MS, everyMs: LOOK_MS },
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  await stopGroup(child);
  return seconds;
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  process.kill(-child.pid!, 'SIGINT');
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}
