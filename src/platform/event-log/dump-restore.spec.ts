import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { startTestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import { migrate } from '../postgres/migrate.js';
import { ensurePartitions } from '../postgres/partitions.js';
import { copyDatabase } from './copied-database.test-support.js';
import {
  type DebianPostgres,
  dumpAndRestore,
  hasDebianPostgres,
  startDebianPostgres,
} from './debian-postgres.test-support.js';
import type { EventBus } from './event-bus.js';
import {
  appendAll,
  BRIEF,
  disordered,
  effectsOf,
  MODULE,
  makeEffectTables,
  openBus,
  openHouse,
  recordEffects,
  recorder,
  Streams,
  type TestHouse,
} from './event-log.test-support.js';

// Servers and processes are slow on a busy machine.
jest.setTimeout(120_000);

const ID = `${MODULE}.moved`;
const MIGRATIONS = join(fileURLToPath(new URL('../../../prisma/', import.meta.url)), MODULE, 'migrations');

let stops: (() => Promise<void>)[];

beforeEach(() => {
  stops = [];
});

afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
});

function open(url: string): TestHouse {
  const house = openHouse(url);
  stops.push(() => house.db.close());
  return house;
}

/** A consumer with one stream that fails for as long as `isBroken` says so. */
async function consume(house: TestHouse, badStream: string, isBroken: () => boolean): Promise<EventBus> {
  const mover = recorder(ID, {
    batchSize: 20,
    apply: async (tx, events) => {
      if (isBroken() && events.some((event) => event.streamId === badStream)) throw new Error('broken');
      await recordEffects(tx, ID, events);
    },
  });
  const bus = openBus(house, [mover], BRIEF);
  stops.push(() => bus.stop());
  await bus.startConsumers();
  return bus;
}

async function hurry(house: TestHouse): Promise<void> {
  await house.db.query(`update ${MODULE}.parked_event set next_attempt_at = '-infinity' where state = 'waiting'`);
}

/** A log under load, a consumer in the middle of it and a parked stream: meanwhile `move` takes all of it elsewhere. */
async function expectNothingLost(from: string, to: string, move: () => Promise<void>): Promise<void> {
  await makeEffectTables(from);
  const source = open(from);
  const streams = new Streams(10);
  const bad = streams.ids[3]!;
  const bus = await consume(source, bad, () => true);
  await appendAll(source, streams.next(200), 20);
  await eventually(async () => {
    await hurry(source);
    return (await bus.parked({ consumer: '', position: 0 }, 10)).length === 1;
  });
  let isMoved = false;
  const appending = (async () => {
    while (!isMoved) await appendAll(source, streams.next(30), 10);
  })();
  await eventually(async () => (await effectsOf(source.db, ID)).length > 300);
  await move().finally(() => {
    isMoved = true;
  });
  await appending;
  await bus.stop();

  const target = open(to);
  const head = await target.log.head();
  expect(head).toBeLessThanOrEqual(await source.log.head());
  const [status] = await target.store.status();
  expect(status).toMatchObject({ id: ID, parked: 1 });
  expect(status!.position).toBeGreaterThan(0);
  const moved = await consume(target, bad, () => false);
  const [parked] = await moved.parked({ consumer: '', position: 0 }, 10);
  expect(parked!.streamId).toBe(bad);
  await moved.resolveParked(ID, parked!.position, 'retry');
  await appendAll(target, new Streams(5).next(50));
  await eventually(async () => {
    await hurry(target);
    return (await effectsOf(target.db, ID)).length >= head + 50;
  });
  expect(await target.log.head()).toBe(head + 50);
  const effects = await effectsOf(target.db, ID);
  expect(disordered(effects)).toEqual([]);
  expect(effects.map((effect) => effect.position).sort((a, b) => a - b)).toEqual(
    Array.from({ length: head + 50 }, (_, index) => index + 1),
  );
}

async function server(start: () => Promise<DebianPostgres>): Promise<string> {
  const { url, stop } = await start();
  stops.push(stop);
  return url;
}

describe('a log that is dumped under load and restored elsewhere', () => {
  it('goes on without a gap, and its consumers where they were: by COPY, into a fresh server', async () => {
    const from = await server(() => startTestDatabase([MODULE]));
    const to = await server(() => startTestDatabase([MODULE]));
    await makeEffectTables(to);
    await expectNothingLost(from, to, () => copyDatabase(from, to));
  });

  it('goes on likewise by pg_dump and psql of PostgreSQL 15', async () => {
    if (!hasDebianPostgres()) {
      console.warn('left out: the dump with pg_dump, because PostgreSQL 15 of Debian is not installed here');
      return;
    }
    const from = await server(startDebianPostgres);
    const to = await server(startDebianPostgres);
    await migrate({ connectionString: from, module: MODULE, dir: MIGRATIONS, log: { info: () => undefined } });
    await ensurePartitions(from, MODULE, Date.now());
    await expectNothingLost(from, to, () => dumpAndRestore(from, to));
  });
});
