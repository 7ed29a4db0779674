/** The baseline of events: graphile-worker with a local queue and batched completion, in a process of its own. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { nowMs } from '../lib/clock.js';
import type { GraphileMethods } from '../lib/events.js';
import { serve } from '../lib/program.js';
import { waitFor } from '../lib/wait.js';

const CONCURRENT_JOBS = 24;
const POOL_SIZE = 12;
const LOCAL_QUEUE_SIZE = 500;
const DONE_MS = 300_000;
const LOOK_MS = 10;

const quiet = new Logger(() => () => undefined);
let pool: pg.Pool;

const methods: GraphileMethods = {
  prepare: async (url) => {
    pool = new pg.Pool({ connectionString: url, max: POOL_SIZE });
    // A server that is stopped beneath it says so here.
    pool.on('error', () => undefined).on('connect', (client) => void client.on('error', () => undefined));
    const utils = await makeWorkerUtils({ pgPool: pool, logger: quiet });
    await utils.migrate();
    await utils.release();
    await pool.query('create table graphile_effect (n bigint not null)');
  },
  run: async ({ jobs, effect }) => {
    await pool.query('truncate graphile_effect');
    await pool.query(
      `select graphile_worker.add_jobs(array(select json_populate_record(null::graphile_worker.job_spec,
          json_build_object('identifier', 'bench', 'payload', json_build_object('n', n)))
        from generate_series(1, $1::int) n))`,
      [jobs],
    );
    let done = 0;
    const startedMs = nowMs();
    const runner = await run({
      pgPool: pool,
      logger: quiet,
      noHandleSignals: true,
      preset: {
        worker: {
          concurrentJobs: CONCURRENT_JOBS,
          localQueue: { size: LOCAL_QUEUE_SIZE },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
      taskList: {
        bench: async (payload, helpers) => {
          if (effect) {
            const { n } = payload as { n: number };
            await helpers.query('insert into graphile_effect values ($1)', [n]);
          }
          done += 1;
        },
      },
    });
    await waitFor(() => done >= jobs, { what: 'every job has run', timeoutMs: DONE_MS, everyMs: LOOK_MS });
    const left = async () => (await pool.query('select from graphile_worker.jobs limit 1')).rowCount === 0;
    await waitFor(left, { what: 'every job is completed', timeoutMs: DONE_MS, everyMs: LOOK_MS });
    const rate = (jobs * 1_000) / (nowMs() - startedMs);
    await runner.stop();
    return rate;
  },
};
serve(methods);
