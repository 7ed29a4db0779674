import pg from 'pg';
import { z } from 'zod';
import { defineEvent, type NewEvent, type StoredEvent } from '../../shared/define-event.js';
import { newId } from '../../shared/sid.js';
import { ModuleDatabase, type Queryable } from '../postgres/database.js';
import type { DurableConsumer } from './consumer.js';
import type { ConsumerSettings } from './consumer-runner.js';
import { ConsumerStore } from './consumer-store.js';
import { EventBus } from './event-bus.js';
import { EventLog } from './event-log.js';

/** The module whose schema these suites use for a log, consumers and effects of their own. */
export const MODULE = 'messaging';
export const counted = defineEvent('messaging.thing-counted.v1', z.object({ n: z.int() }));
export const noted = defineEvent('messaging.thing-noted.v1', z.object({}));
export const TEST_EVENTS = [counted, noted];

/** Quick to look; a lease lasts through whatever a busy machine does to this process. */
export const QUICK: ConsumerSettings = { leaseMs: 6000, pollMs: 20, maxAttempts: 5 };
/** Where a lease must run out because its holder was killed or stopped. */
export const BRIEF: ConsumerSettings = { ...QUICK, leaseMs: 1500 };

export const quiet = { warn: () => undefined, error: () => undefined };

export interface TestHouse {
  readonly db: ModuleDatabase;
  readonly log: EventLog;
  readonly store: ConsumerStore;
}

/** One process's view of the log: its pools, its log, its consumers' rows. */
export function openHouse(connectionString: string, definitions = TEST_EVENTS): TestHouse {
  const db = new ModuleDatabase({ module: MODULE, connectionString });
  return { db, log: new EventLog(db, definitions), store: new ConsumerStore(db) };
}

/** A bus over a house, with the consumers already declared. */
export function openBus(house: TestHouse, consumers: readonly DurableConsumer[], settings = QUICK): EventBus {
  const bus = new EventBus(quiet, settings);
  bus.publish(house.log);
  for (const consumer of consumers) bus.consume(house.store, consumer);
  return bus;
}

export async function asSuperuser<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Makes the tables that effects of these suites write: `effect` without a key, where an effect that happens twice is
 * seen, and `keyed_effect`, where the second is recognised, as a consumer must that may be replayed.
 */
export async function makeEffectTables(connectionString: string): Promise<void> {
  await asSuperuser(connectionString, (client) =>
    client.query(`
      set role trunkline_owner;
      create table ${MODULE}.effect (seq bigint generated always as identity, consumer text not null,
        position bigint not null, stream_id uuid not null, version integer not null);
      create table ${MODULE}.keyed_effect (consumer text not null, position bigint not null, stream_id uuid not null,
        version integer not null, primary key (consumer, position));
      grant select, insert on ${MODULE}.effect, ${MODULE}.keyed_effect to trunkline_${MODULE}`),
  );
}

export async function recordEffects(tx: Queryable, consumer: string, events: readonly StoredEvent[], keyed = false) {
  await tx.query(
    `insert into ${MODULE}.${keyed ? 'keyed_effect' : 'effect'} (consumer, position, stream_id, version)
      select $1, * from unnest($2::bigint[], $3::uuid[], $4::int[]) ${keyed ? 'on conflict do nothing' : ''}`,
    [consumer, events.map((e) => e.position), events.map((e) => e.streamId), events.map((e) => e.version)],
  );
}

export interface RecordedEffect {
  readonly position: number;
  readonly streamId: string;
  readonly version: number;
}

/** The effects of one consumer in the order in which they were written. */
export async function effectsOf(db: Queryable, consumer: string): Promise<RecordedEffect[]> {
  const { rows } = await db.query<{ position: string; stream_id: string; version: number }>(
    `select position, stream_id, version from ${MODULE}.effect where consumer = $1 order by seq`,
    [consumer],
  );
  return rows.map((row) => ({ position: Number(row.position), streamId: row.stream_id, version: row.version }));
}

/** The streams whose events had their effects out of order, or with one left out or doubled. */
export function disordered(effects: readonly RecordedEffect[]): string[] {
  const seen = new Map<string, number>();
  const bad = new Set<string>();
  for (const { streamId, version } of effects) {
    if (version !== (seen.get(streamId) ?? 0) + 1) bad.add(streamId);
    seen.set(streamId, version);
  }
  return [...bad];
}

/** A consumer whose effect is a row per event, without a key. */
export function recorder(id: string, more: Partial<DurableConsumer> = {}): DurableConsumer {
  return {
    id,
    source: MODULE,
    types: [counted.type],
    apply: (tx, events) => recordEffects(tx, id, events),
    ...more,
  };
}

/** Streams that grow: gives out the next events of each. */
export class Streams {
  readonly ids: string[];
  private readonly versions = new Map<string, number>();

  constructor(count: number) {
    this.ids = Array.from({ length: count }, () => newId());
  }

  /** The next `count` events, from stream to stream in turn. */
  next(count: number, type = counted.type): NewEvent[] {
    return Array.from({ length: count }, (_, index) => {
      const streamId = this.ids[index % this.ids.length]!;
      const version = (this.versions.get(streamId) ?? 0) + 1;
      this.versions.set(streamId, version);
      return { type, streamId, version, tenantId: null, data: { n: version } };
    });
  }
}

export async function appendAll(house: TestHouse, events: readonly NewEvent[], perTransaction = 100): Promise<void> {
  for (let from = 0; from < events.length; from += perTransaction) {
    await house.db.transaction((tx) => house.log.append(tx, events.slice(from, from + perTransaction)));
    house.log.wake();
  }
}
