/** The platform's event log and one durable consumer of it, in a process of its own, as a module uses them. */
import { z } from 'zod';
import { ConsumerStore } from '../../src/platform/event-log/consumer-store.js';
import { EventBus } from '../../src/platform/event-log/event-bus.js';
import { EventLog } from '../../src/platform/event-log/event-log.js';
import { ModuleDatabase } from '../../src/platform/postgres/database.js';
import { defineEvent } from '../../src/shared/define-event.js';
import { newId } from '../../src/shared/sid.js';
import { nowMs } from '../lib/clock.js';
import type { EventMethods } from '../lib/events.js';
import { serve } from '../lib/program.js';
import { waitFor } from '../lib/wait.js';

const MODULE = 'messaging';
const PER_TRANSACTION = 1_000;
const DONE_MS = 300_000;
const LOOK_MS = 10;
const counted = defineEvent('messaging.thing-counted.v1', z.object({ n: z.int() }));
const quiet = { warn: () => undefined, error: () => undefined };

let db: ModuleDatabase;
let log: EventLog;
let total = 0;

const methods: EventMethods = {
  prepare: async ({ url, events, streams }) => {
    db = new ModuleDatabase({ module: MODULE, connectionString: url });
    log = new EventLog(db, [counted]);
    total = events;
    const ids = Array.from({ length: streams }, () => newId());
    for (let from = 0; from < events; from += PER_TRANSACTION) {
      const batch = Array.from({ length: Math.min(PER_TRANSACTION, events - from) }, (_, index) => {
        const n = from + index;
        const version = Math.floor(n / streams) + 1;
        return { type: counted.type, streamId: ids[n % streams]!, version, tenantId: null, data: { n } };
      });
      await db.transaction((tx) => log.append(tx, batch));
    }
  },
  run: async (round) => {
    const id = `messaging.bench-${'abcdefghijklmnopqrstuvwxyz'[round]}`;
    const store = new ConsumerStore(db);
    const bus = new EventBus(quiet);
    let done = 0;
    bus.publish(log);
    bus.consume(store, {
      id,
      source: MODULE,
      types: [counted.type],
      apply: async (tx, events) => {
        await tx.query(
          `insert into ${MODULE}.bench_effect (consumer, stream_id, version)
            select $1, * from unnest($2::uuid[], $3::int[])`,
          [id, events.map((event) => event.streamId), events.map((event) => event.version)],
        );
        return () => {
          done += events.length;
        };
      },
    });
    const startedMs = nowMs();
    await bus.startConsumers();
    await waitFor(() => done >= total, { what: 'every event had its effect', timeoutMs: DONE_MS, everyMs: LOOK_MS });
    const rate = (total * 1_000) / (nowMs() - startedMs);
    await bus.stop();
    await assertOnceInOrder(id);
    return rate;
  },
};

async function assertOnceInOrder(consumer: string): Promise<void> {
  const { rows } = await db.query<{ effects: string; distinct: string; disordered: string }>(
    `select count(*) as effects, count(distinct (stream_id, version)) as distinct,
        count(*) filter (where version <> expected) as disordered
      from (select stream_id, version, row_number() over (partition by stream_id order by seq) as expected
        from ${MODULE}.bench_effect where consumer = $1) as numbered`,
    [consumer],
  );
  const { effects, distinct, disordered } = rows[0]!;
  if (Number(effects) === total && Number(distinct) === total && Number(disordered) === 0) return;
  throw new Error(`${total} events had ${effects} effects, ${distinct} of them different, ${disordered} out of order`);
}

serve(methods);
