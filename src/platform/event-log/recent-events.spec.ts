import { jest } from '@jest/globals';
import fc from 'fast-check';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import type { StoredEvent } from '../../shared/define-event.js';
import { EventLog } from './event-log.js';
import { appendAll, openHouse, Streams, TEST_EVENTS, type TestHouse } from './event-log.test-support.js';
import { RecentEvents } from './recent-events.js';

function eventAt(position: number): StoredEvent {
  return {
    type: 'messaging.thing-counted.v1',
    streamId: '01890000-0000-7000-8000-000000000000',
    version: position,
    tenantId: null,
    data: {},
    position,
    occurredAt: new Date(0),
  };
}

const pageAfter = (after: number, count: number) => Array.from({ length: count }, (_, i) => eventAt(after + 1 + i));

describe('the newest events', () => {
  it('are always one unbroken run, and what follows a position is exactly what the log holds', () => {
    const page = fc.record({ after: fc.nat(60), count: fc.nat(12), own: fc.boolean() });
    fc.assert(
      fc.property(fc.array(page), fc.nat(80), fc.integer({ min: 1, max: 10 }), (pages, position, limit) => {
        const recent = new RecentEvents(8);
        for (const { after, count, own } of pages) {
          if (own) recent.offer(pageAfter(after, count));
          else recent.add(pageAfter(after, count));
        }
        const found = recent.after(position, limit).map((event) => event.position);
        expect(found).toEqual(found.map((_, index) => position + 1 + index));
        expect(found.length).toBeLessThanOrEqual(limit);
        // A reader is stopped by the limit or by the end of the run, never within it.
        if (found.length > 0 && found.length < limit) expect(found.at(-1)).toBe(recent.last);
      }),
    );
  });

  it('are bounded, and forget the oldest first', () => {
    const recent = new RecentEvents(8);
    for (let after = 0; after < 1000; after += 3) recent.add(pageAfter(after, 3));
    const held = Array.from({ length: 1003 }, (_, after) => recent.after(after, 1).length).filter(Boolean).length;
    expect(held).toBeGreaterThanOrEqual(8);
    expect(held).toBeLessThanOrEqual(16);
    expect(recent.last).toBe(1002);
    expect(recent.after(1002 - 8, 100)).toHaveLength(8);
  });

  it('take in what this process has written in its order, whatever the order of the answers', () => {
    const recent = new RecentEvents(100);
    recent.add(pageAfter(0, 3));
    recent.offer(pageAfter(7, 2));
    recent.offer(pageAfter(9, 1));
    recent.offer(pageAfter(5, 2));
    expect(recent.last).toBe(3);
    recent.offer(pageAfter(3, 2));
    expect(recent.after(0, 100).map((event) => event.position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    // Another process's event, which is read, stands between; what was read beyond it is not taken twice.
    recent.offer(pageAfter(11, 2));
    recent.offer(pageAfter(13, 1));
    recent.add(pageAfter(10, 2));
    expect(recent.last).toBe(14);
    expect(recent.after(9, 100)).toHaveLength(5);
  });

  it('start anew after a gap, and when they are cleared', () => {
    const recent = new RecentEvents(8);
    recent.add(pageAfter(0, 3));
    recent.add(pageAfter(10, 2));
    expect(recent.after(2, 5)).toEqual([]);
    expect(recent.after(10, 5).map((event) => event.position)).toEqual([11, 12]);
    recent.clear();
    expect(recent.after(10, 5)).toEqual([]);
    expect(recent.last).toBe(0);
  });
});

describe('a log', () => {
  let database: TestDatabase;
  let house: TestHouse;
  let log: EventLog;
  let queries: jest.SpiedFunction<TestHouse['db']['query']>;

  beforeAll(async () => {
    database = await startTestDatabase(['messaging']);
    house = openHouse(database.url);
    await appendAll(house, new Streams(3).next(300));
  });

  afterAll(async () => {
    await house?.db.close();
    await database?.stop();
  });

  beforeEach(() => {
    log = new EventLog(house.db, TEST_EVENTS);
    queries = jest.spyOn(house.db, 'query');
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('asks the database once for what several readers want, at once or one after the other', async () => {
    const pages = await Promise.all([log.read(0, 1000), log.read(0, 50), log.read(0, 1)]);
    expect(pages.map((page) => page.length)).toEqual([300, 50, 1]);
    expect(await log.read(290)).toHaveLength(10);
    expect(queries).toHaveBeenCalledTimes(1);
  });

  it('reads what was dropped from its memory, or came before it, from the database', async () => {
    expect((await log.read(200, 5)).map((event) => event.position)).toEqual([201, 202, 203, 204, 205]);
    expect((await log.read(100, 3)).map((event) => event.position)).toEqual([101, 102, 103]);
    expect(queries).toHaveBeenCalledTimes(2);
    // What was read for one who is far behind is not taken for the newest.
    expect((await log.read(205, 1)).map((event) => event.position)).toEqual([206]);
    expect(queries).toHaveBeenCalledTimes(2);
  });

  it('hands on what was committed here without asking, as the database would have answered', async () => {
    const head = await log.head();
    const off = log.onWake(() => undefined);
    await log.read(head - 1);
    queries.mockClear();
    const kinds = [
      { one: 1, two: null },
      { gone: undefined },
      { at: new Date(0) },
      { parts: [1, { deep: true }] },
      { n: NaN },
    ];
    const events = new Streams(2)
      .next(5)
      .map((event, index) => ({ ...event, data: { ...(event.data as object), ...kinds[index] } }));
    const appended = await house.db.transaction((tx) => log.append(tx, events));
    log.committed(appended);
    const handed = await log.read(head);
    expect(queries).not.toHaveBeenCalled();
    expect(handed).toHaveLength(5);
    expect(handed).toStrictEqual(await new EventLog(house.db, TEST_EVENTS).read(head));
    for (const { data } of handed) expect(Object.isFrozen(data)).toBe(true);
    // What was appended is its writer's, to change.
    for (const { data } of events) expect(Object.isFrozen(data)).toBe(false);
    off();
  });

  it('knows where there may be more: before its newest event, and after a wake that brought none along', async () => {
    const head = await log.head();
    await log.read(head - 2);
    expect([log.mayHaveMore(head - 1), log.mayHaveMore(head)]).toEqual([true, false]);
    log.wakeHere();
    expect(log.mayHaveMore(head)).toBe(true);
    await log.read(head);
    expect(log.mayHaveMore(head)).toBe(false);
    // Where a page was full, its end is not that of the log.
    await appendAll(house, new Streams(1).next(2_500), 500);
    const places: [number, boolean][] = [];
    for (let position = head; position < head + 2_500; ) {
      position = (await log.read(position, 500)).at(-1)!.position;
      places.push([position - head, log.mayHaveMore(position)]);
    }
    expect(places).toEqual([500, 1_000, 1_500, 2_000, 2_500].map((position) => [position, position < 2_500]));
  });

  it('never joins a read that began before a commit was announced', async () => {
    const head = await log.head();
    const { promise, resolve } = Promise.withResolvers<never>();
    queries.mockReturnValueOnce(promise);
    const early = log.read(head);
    await house.db.transaction((tx) => log.append(tx, new Streams(1).next(1)));
    log.wake();
    expect(await log.read(head)).toHaveLength(1);
    resolve({ rows: [] } as never);
    expect(await early).toEqual([]);
    expect(await log.read(head)).toHaveLength(1);
  });

  it('forgets everything when the database could not be read: another one may come back', async () => {
    const head = await log.head();
    await log.read(0);
    queries.mockRejectedValueOnce(Object.assign(new Error('gone'), { code: '57P01' }));
    await expect(log.read(head)).rejects.toThrow('gone');
    queries.mockClear();
    await log.read(0, 1);
    expect(queries).toHaveBeenCalledTimes(1);
  });
});
