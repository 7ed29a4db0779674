import { z } from 'zod';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import { defineEvent } from '../../shared/define-event.js';
import { newId } from '../../shared/sid.js';
import { EventLog } from './event-log.js';
import { appendAll, asSuperuser, counted, openHouse, Streams, type TestHouse } from './event-log.test-support.js';

let database: TestDatabase;
let house: TestHouse;
let other: TestHouse;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
});

afterAll(async () => {
  await database?.stop();
});

beforeEach(() => {
  house = openHouse(database.url);
  other = openHouse(database.url);
});

afterEach(async () => {
  await Promise.all([house.db.close(), other.db.close()]);
});

/** Everything after a position, as a consumer reads it. */
async function readAll(log: EventLog, after: number) {
  const events = [];
  for (let position = after; ; ) {
    const page = await log.read(position, 100);
    if (page.length === 0) return events;
    events.push(...page);
    position = page.at(-1)!.position;
  }
}

function expectContiguous(positions: readonly number[], after: number): void {
  expect(positions).toEqual(positions.map((_, index) => after + 1 + index));
}

describe('appending', () => {
  it('gives positions without gaps to many writers at once, and no reader skips one', async () => {
    const start = await house.log.head();
    const writers = 8;
    const rounds = 20;
    let running = writers;
    const read: number[] = [];
    const follow = async () => {
      for (let position = start; ; ) {
        const isLast = running === 0;
        const page = await other.log.read(position, 7);
        read.push(...page.map((event) => event.position));
        position = page.at(-1)?.position ?? position;
        if (isLast && page.length === 0) return;
      }
    };
    const write = async () => {
      const streams = new Streams(2);
      for (let round = 0; round < rounds; round++) {
        await house.db
          .transaction(async (tx) => {
            // Some take their position early in their transaction and hold it open, some at its end.
            if (round % 2 === 0) await tx.query('select pg_sleep(0.002)');
            await house.log.append(tx, streams.next(3));
            if (round % 3 === 0) await tx.query('select pg_sleep(0.002)');
            if (round % 5 === 4) throw new Error('rolled back');
          })
          .catch((error: Error) => {
            expect(error.message).toBe('rolled back');
          });
      }
      running--;
    };
    await Promise.all([follow(), ...Array.from({ length: writers }, write)]);
    expect(read).toHaveLength(writers * (rounds - rounds / 5) * 3);
    expectContiguous(read, start);
    expect(await house.log.head()).toBe(read.at(-1));
  });

  it('orders by commit: who took no position yet cannot overtake, who took one is waited for', async () => {
    const start = await house.log.head();
    const [early, late] = [new Streams(1), new Streams(1)];
    const steps: string[] = [];
    let commitEarly = () => {};
    const mayCommit = new Promise<void>((resolve) => {
      commitEarly = resolve;
    });
    const first = house.db.transaction(async (tx) => {
      await tx.query('select pg_current_xact_id()');
      steps.push('began');
      await house.log.append(tx, early.next(1));
      steps.push('took its position');
      await mayCommit;
    });
    await eventually(() => steps.length === 2);
    const second = other.db
      .transaction((tx) => other.log.append(tx, late.next(1)))
      .then(() => steps.push('the second is committed'));
    await eventually(() => isAnyoneWaitingForALock());
    // Nothing can be read while the first is open: the second has the later position and is not committed either.
    expect(await other.log.read(start)).toEqual([]);
    steps.push('the first commits');
    commitEarly();
    await Promise.all([first, second]);
    expect(steps.slice(2)).toEqual(['the first commits', 'the second is committed']);
    const streams = (await readAll(other.log, start)).map((event) => event.streamId);
    expect(streams).toEqual([early.ids[0], late.ids[0]]);
  });

  function isAnyoneWaitingForALock(): Promise<boolean> {
    return asSuperuser(database.url, async (client) => {
      const { rowCount } = await client.query("select from pg_stat_activity where wait_event_type = 'Lock'");
      return (rowCount ?? 0) > 0;
    });
  }

  it('leaves no gap when it is rolled back, by an error or by a version that is taken', async () => {
    const start = await house.log.head();
    const streams = new Streams(1);
    const [event] = streams.next(1);
    await house.db.transaction((tx) => house.log.append(tx, [event!]));
    await expect(house.db.transaction((tx) => house.log.append(tx, [event!]))).rejects.toMatchObject({ code: '23505' });
    await appendAll(house, streams.next(2));
    expectContiguous(
      (await readAll(other.log, start)).map((e) => e.position),
      start,
    );
  });

  it('refuses a type that the module does not publish, before anything is written', async () => {
    const event = { ...new Streams(1).next(1)[0]!, type: 'billing.thing-counted.v1' };
    const append = house.db.transaction((tx) => house.log.append(tx, [event]));
    await expect(append).rejects.toThrow('messaging does not publish billing.thing-counted.v1');
  });

  it('appends as part of a larger statement', async () => {
    const start = await house.log.head();
    const id = newId();
    const text = `with fresh as (
        select row_number() over () as ord, $1::uuid as stream_id, g as version, $2::text as type, null::uuid as tenant_id,
          '{"n": 1}' as data, null as causation, null as traceparent
        from generate_series(1, $3::int) g
      ), ${house.log.headCte('(select count(*) from fresh)')} ${house.log.insert('head', 'fresh e')}`;
    for (const count of [2, 0]) await house.db.query(text, [id, counted.type, count]);
    const events = await readAll(house.log, start);
    expectContiguous(
      events.map((event) => event.position),
      start,
    );
    expect(events).toHaveLength(2);
  });
});

describe('reading', () => {
  it('gives the events back as they were written, in bounded pages', async () => {
    const start = await house.log.head();
    const event = {
      type: counted.type,
      streamId: newId(),
      version: 1,
      tenantId: newId(),
      data: { n: 7 },
      causation: 'carriers/12',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    };
    await appendAll(house, [event, ...new Streams(3).next(30)]);
    const [first] = await house.log.read(start, 1);
    expect(first).toMatchObject({ ...event, position: start + 1 });
    expect(Date.now() - first!.occurredAt.getTime()).toBeLessThan(60_000);
    expect(await house.log.read(start, 10)).toHaveLength(10);
    expect(await house.log.readAt([start + 3, start + 1, start + 1_000_000])).toMatchObject([
      { position: start + 1 },
      { position: start + 3 },
    ]);
    expect(await house.log.around(start)).toEqual({ head: start + 31, next: start + 1 });
    expect(await house.log.around(start + 31)).toEqual({ head: start + 31, next: null });
  });

  it('gives the history of one stream, oldest first', async () => {
    const streams = new Streams(2);
    await appendAll(house, streams.next(10));
    const history = await house.log.readStream(streams.ids[0]!, 3);
    expect(history.map((event) => event.version)).toEqual([1, 2, 3]);
  });

  it('reads an older version through its upcaster, and keeps the trouble of a bad one to its event', async () => {
    const start = await house.log.head();
    await appendAll(house, new Streams(1).next(3));
    const next = defineEvent('messaging.thing-counted.v2', z.object({ count: z.int() }), {
      'messaging.thing-counted.v1': ({ n }: { n: number }) => {
        if (n === 2) throw new Error('cannot be read');
        return { count: n };
      },
    });
    const [one, two, three] = await new EventLog(house.db, [next]).read(start);
    expect([one, two, three].map((event) => event!.type)).toEqual([next.type, next.type, next.type]);
    expect([one!.data, three!.data]).toEqual([{ count: 1 }, { count: 3 }]);
    expect(() => two!.data).toThrow('cannot be read');
  });

  it('lets no reader change an event for the others', async () => {
    const start = await house.log.head();
    await appendAll(house, new Streams(1).next(1));
    const [event] = await house.log.read(start);
    expect(() => Object.assign(event!.data as object, { n: 2 })).toThrow(TypeError);
    expect(() => Object.assign(event!, { version: 2 })).toThrow(TypeError);
  });
});

describe('rights', () => {
  it.each([
    'update messaging.event set type = type',
    'delete from messaging.event',
    'delete from messaging.event_head',
  ])('refuse the module `%s`', async (text) => {
    await expect(house.db.query(text)).rejects.toMatchObject({ code: '42501' });
  });
});
