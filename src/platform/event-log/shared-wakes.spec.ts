import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import type { StoredEvent } from '../../shared/define-event.js';
import type { EventBus } from './event-bus.js';
import {
  appendAll,
  asSuperuser,
  MODULE,
  openBus,
  openHouse,
  QUICK,
  Streams,
  type TestHouse,
} from './event-log.test-support.js';

/** Nobody who waits for the next look sees anything within these tests. */
const WOKEN_ONLY = { ...QUICK, pollMs: 600_000 };

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
});

afterAll(async () => {
  await database?.stop();
});

/** A process with a local tail, which records what it hears. */
interface Process {
  readonly house: TestHouse;
  readonly heard: StoredEvent[];
  readonly bus: EventBus;
  stop(): Promise<void>;
}

async function startProcess(): Promise<Process> {
  const house = openHouse(database.url);
  const bus = openBus(house, [], WOKEN_ONLY);
  const heard: StoredEvent[] = [];
  const lost = () => undefined;
  bus.tail({ id: `${MODULE}.listener`, source: MODULE, on: (events) => void heard.push(...events), lost });
  await bus.startTails();
  const stop = async () => {
    await bus.stop();
    await house.db.close();
  };
  return { house, heard, bus, stop };
}

/** The sessions that listen; ended by `end`. */
const listeners = (end = false) =>
  asSuperuser(database.url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      `select pid${end ? ', pg_terminate_backend(pid)' : ''} from pg_stat_activity
        where query ilike 'listen trunkline_log' or query like 'select pg_notify%'`,
    );
    return rows.map((row) => row.pid);
  });

/** Appends one event in one process until another one has heard of it without a look of its own. */
async function wakesEachOther(from: Process, to: Process): Promise<void> {
  const before = to.heard.length;
  await eventually(async () => {
    await appendAll(from.house, new Streams(1).next(1));
    return to.heard.length > before;
  });
}

describe('processes on one database', () => {
  it('wake one another, in both directions, and again after their connections broke', async () => {
    const [one, other] = [await startProcess(), await startProcess()];
    try {
      await wakesEachOther(one, other);
      await wakesEachOther(other, one);
      const before = await listeners(true);
      expect(before).toHaveLength(2);
      await eventually(async () => {
        const now = await listeners();
        return now.length === 2 && now.every((pid) => !before.includes(pid));
      });
      await wakesEachOther(one, other);
      await wakesEachOther(other, one);
    } finally {
      await Promise.all([one.stop(), other.stop()]);
    }
    expect(await listeners()).toEqual([]);
  });

  it('are not disturbed by what others say on their channel', async () => {
    const [one, other] = [await startProcess(), await startProcess()];
    try {
      await asSuperuser(database.url, async (client) => {
        for (const payload of ['', 'x', '{}', '[]', '{"from":1,"logs":2}', 'x'.repeat(7000)]) {
          await client.query('select pg_notify($1, $2)', ['trunkline_log', payload]);
        }
      });
      await wakesEachOther(one, other);
    } finally {
      await Promise.all([one.stop(), other.stop()]);
    }
  });

  it('tell nobody where nobody else is', async () => {
    const alone = await startProcess();
    const said: string[] = [];
    try {
      await asSuperuser(database.url, async (client) => {
        client.on('notification', ({ payload }) => void said.push(payload ?? ''));
        await client.query('listen trunkline_log');
        for (let count = 1; count <= 20; count++) {
          await appendAll(alone.house, new Streams(1).next(1));
          await eventually(() => alone.heard.length === count);
        }
        await client.query('select 1');
      });
      expect(said.flatMap((payload) => (JSON.parse(payload) as { logs: string[] }).logs)).toEqual([]);
    } finally {
      await alone.stop();
    }
  });
});
