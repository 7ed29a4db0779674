import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../src/platform/postgres/migrate.js';
import { ensurePartitions } from '../../src/platform/postgres/partitions.js';
import type { EventMethods, GraphileMethods } from '../lib/events.js';
import { startPostgres } from '../lib/postgres.js';
import { Program } from '../lib/program.js';
import type { Scenario } from '../lib/scenario.js';
import { spreadOf } from '../lib/statistics.js';

const MODULE = 'messaging';
const STREAMS = 1_000;
const MIGRATIONS = join(import.meta.dirname, '../../prisma', MODULE, 'migrations');

export const events: Scenario = {
  name: 'events',
  what: 'events consumed in order per stream, each with a one-row effect exactly once, against graphile-worker',
  async run({ quick, cleanup, progress }) {
    const [rounds, amount] = quick ? [2, 40_000] : [3, 100_000];
    const server = await startPostgres(cleanup);
    await prepareSchema(server.url);
    const platform = Program.start<EventMethods>('events');
    cleanup.add(() => platform.stop());
    const graphile = Program.start<GraphileMethods>('graphile');
    cleanup.add(() => graphile.stop());
    await platform.call('prepare', { url: server.url, events: amount, streams: STREAMS });
    await graphile.call('prepare', server.url);
    const [figures, baselines, withEffect]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      baselines.push(await graphile.call('run', { jobs: amount, effect: false }));
      figures.push(await platform.call('run', round));
      withEffect.push(await graphile.call('run', { jobs: amount, effect: true }));
      progress(`round ${round + 1} of ${rounds}: ${Math.round(figures.at(-1)!)} events/s`);
    }
    return {
      measures: [
        {
          name: 'events/s',
          unit: '/s',
          figures,
          baseline: { name: 'graphile-worker, empty jobs', values: baselines },
          aim: { of: 'ratio', atLeast: 1 },
        },
      ],
      notes: [
        `${amount} events of ${STREAMS} streams a round, each with its row once and in order`,
        `graphile-worker with a one-row effect in each job: ${Math.round(spreadOf(withEffect).median)} jobs/s`,
      ],
    };
  },
};

/** The log's tables as the product makes them, and a table for the effects. */
async function prepareSchema(url: string): Promise<void> {
  await migrate({ connectionString: url, module: MODULE, dir: MIGRATIONS, log: { info: () => undefined } });
  await ensurePartitions(url, MODULE, Date.now());
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`
      set role trunkline_owner;
      create table ${MODULE}.bench_effect (seq bigint generated always as identity, consumer text not null,
        stream_id uuid not null, version integer not null);
      grant select, insert on ${MODULE}.bench_effect to trunkline_${MODULE}`);
  } finally {
    await client.end();
  }
}
