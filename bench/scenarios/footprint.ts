import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../lib/clock.js';
import { Load, type LoadOutcome, otherAnswers } from '../lib/load.js';
import { cpuMicrosOf, cpuMicrosOfTree, descendants, proportionalBytes, residentBytes } from '../lib/processes.js';
import { Product } from '../lib/product.js';
import { messageRequest } from '../lib/requests.js';
import { readRowWrites } from '../lib/row-writes.js';
import type { Scenario } from '../lib/scenario.js';
import { Smsc } from '../lib/smsc.js';
import { median } from '../lib/statistics.js';
import { assertNothingLost } from '../lib/verify.js';
import { during } from '../lib/wait.js';

const CONNECTIONS = 64;
const TENANTS = 8;
const CREATED = 201;
const CATCH_UP_MS = 600_000;
/** Of what the product settles at its fastest, so that no queue grows. */
const SUSTAINED = 0.7;
const IDLE_MS = 5_000;
const SAMPLE_MS = 1_000;
const BYTES_PER_MB = 1_000_000;

export const footprint: Scenario = {
  name: 'footprint',
  what: 'memory when idle and after sustained load; processor time and rows written per message',
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    const [sprint, loadMs] = quick ? [5_000, 60_000] : [20_000, 600_000];
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const senders = await product.openTenants(TENANTS);
    await product.addCarrier({ name: 'bench', port: smsc.port });
    const postmaster = await product.postmaster();
    const databaseUrl = await product.databaseUrl();
    const load = Load.start(product.url, cleanup);
    const requests = senders.map((sender) => messageRequest(sender));
    const appMb = () => residentBytes(product.pid) / BYTES_PER_MB;
    const postgresMb = () => proportionalBytes([postmaster, ...descendants(postmaster)]) / BYTES_PER_MB;
    await delay(IDLE_MS);
    const idle = { app: appMb(), postgres: postgresMb() };
    progress(`idle: ${Math.round(idle.app)} MB`);
    const fast = await load.run({ connections: CONNECTIONS, count: sprint, requests });
    await product.settled(senders);
    const settledRate = (fast.count(CREATED) * 1_000) / (nowMs() - fast.result.startedMs);
    const rate = Math.max(1, Math.round(settledRate * SUSTAINED));
    const cpu = () => ({
      app: cpuMicrosOf(product.pid),
      postgres: cpuMicrosOfTree(postmaster),
      smsc: cpuMicrosOf(smsc.pid),
      load: cpuMicrosOf(load.pid),
    });
    const [writesBefore, before] = [await readRowWrites(databaseUrl), cpu()];
    progress(`${rate} messages/s for ${loadMs / 1_000} s`);
    const samples: number[] = [];
    const sustained = load.run({ connections: CONNECTIONS, durationMs: loadMs, rate, requests });
    const outcome: LoadOutcome = await during(sustained, async () => {
      samples.push(appMb());
      await delay(SAMPLE_MS);
    });
    const loaded = { app: appMb(), postgres: postgresMb() };
    await product.settled(senders);
    await product.caughtUp(CATCH_UP_MS);
    const [after, writesAfter] = [cpu(), await readRowWrites(databaseUrl)];
    const count = outcome.count(CREATED);
    await assertNothingLost(product, senders, [fast, outcome]);
    const writes = [...writesAfter]
      .map(([table, all]) => [table, (all - (writesBefore.get(table) ?? 0)) / count] as const)
      .filter(([, each]) => each >= 0.005)
      .sort(([, a], [, b]) => b - a);
    const perMessage = (name: keyof typeof before) => (after[name] - before[name]) / count;
    const quarter = Math.max(1, Math.floor(samples.length / 4));
    const growth = median(samples.slice(-quarter)) / median(samples.slice(quarter, 2 * quarter));
    return {
      measures: [
        { name: 'memory of the app, idle', unit: 'MB', figures: [idle.app] },
        {
          name: `memory of the app, after ${Math.round(loadMs / 60_000)} min of load`,
          unit: 'MB',
          figures: [loaded.app],
          aim: { of: 'figure', atMost: 300 },
        },
        {
          name: 'last quarter of the load to the second, memory',
          unit: '×',
          figures: [growth],
          aim: { of: 'figure', atMost: 1.1 },
        },
        { name: 'memory of PostgreSQL after load', unit: 'MB', figures: [loaded.postgres] },
        { name: 'CPU of the app', unit: 'µs/message', figures: [perMessage('app')] },
        { name: 'CPU of PostgreSQL', unit: 'µs/message', figures: [perMessage('postgres')] },
        {
          name: 'rows written',
          unit: '/message',
          figures: [writes.reduce((sum, [, each]) => sum + each, 0)],
          aim: { of: 'figure', atMost: 12 },
        },
      ],
      notes: [
        `${count} messages at ${rate}/s; the carrier took ${perMessage('smsc').toFixed(0)} and the load generator ${perMessage('load').toFixed(0)} µs of CPU a message; at most ${Math.round(Math.max(...samples))} MB meanwhile; PostgreSQL idle ${Math.round(idle.postgres)} MB`,
        `rows: ${writes.map(([table, each]) => `${table} ${each.toFixed(2)}`).join(', ')}`,
        ...otherAnswers([outcome], CREATED),
        ...(await product.troubles()),
      ],
    };
  },
};
