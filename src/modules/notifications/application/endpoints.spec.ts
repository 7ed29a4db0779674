import { newId } from '../../../shared/sid.js';
import type { Delivery } from '../domain/delivery.js';
import { RetrySchedule } from '../domain/retry-schedule.js';
import { Endpoints } from './endpoints.js';

const schedule = new RetrySchedule();
const ACCOUNT = newId();

function delivery(url = 'https://one.test/', accountId = ACCOUNT): Delivery {
  return { accountId, messageId: newId(), version: 2, url, attempts: 0, traceparent: null, callback: {} as never };
}

function standing(endpoints: Endpoints, count: number, url?: string, accountId?: string): void {
  for (let i = 0; i < count; i++) endpoints.enqueue(delivery(url, accountId), 0);
}

/** Takes as long as something may start; those that are refused or left are told apart. */
function takeAll(endpoints: Endpoints, nowMs = 0): { started: Delivery[]; refused: number; left: number } {
  const started: Delivery[] = [];
  let refused = 0;
  let left = 0;
  for (let next = endpoints.take(nowMs); next; next = endpoints.take(nowMs)) {
    if ('delivery' in next) started.push(next.delivery);
    else if ('refused' in next) refused += next.refused.length;
    else left += next.left.length;
  }
  return { started, refused, left };
}

describe('endpoints', () => {
  it('have 4 attempts under way until they answer, and 32 then', () => {
    const endpoints = new Endpoints(schedule);
    standing(endpoints, 100);
    const { started } = takeAll(endpoints);
    expect(started).toHaveLength(4);
    endpoints.finish(started[0]!, true, 10, 0);
    expect(takeAll(endpoints).started).toHaveLength(32 - 3);
    expect(endpoints.take(0)).toBeNull();
  });

  it('of one account take at most a part of all places, however many they are', () => {
    const endpoints = new Endpoints(schedule);
    for (let i = 0; i < 1_000; i++) standing(endpoints, 5, `https://${i}.test/x`);
    const { started } = takeAll(endpoints);
    expect(started).toHaveLength(62);
    standing(endpoints, 1, 'https://0.test/x', newId());
    expect(takeAll(endpoints).started).toHaveLength(1);
  });

  it.each([0, 500, 1_000, 14_000])('that hang leave places to those that are new, also after %s ms', (nowMs) => {
    const endpoints = new Endpoints(schedule);
    for (let i = 0; i < 500; i++) {
      standing(endpoints, 20, 'https://one.test/', newId());
      takeAll(endpoints, nowMs * (i / 500));
    }
    standing(endpoints, 1, 'https://one.test/', newId());
    expect(takeAll(endpoints, nowMs).started).toHaveLength(1);
  });

  it('that answer quickly have places of their own, when those that hang have taken all others', () => {
    const endpoints = new Endpoints(schedule);
    standing(endpoints, 100, 'https://well.test/');
    endpoints.finish(takeAll(endpoints).started[0]!, true, 10, 0);
    takeAll(endpoints);
    for (let i = 0; i < 2_100; i++) standing(endpoints, 10, 'https://one.test/', newId());
    const hanging = takeAll(endpoints, 900).started;
    expect(hanging).toHaveLength(2_048);
    standing(endpoints, 1, 'https://one.test/', newId());
    expect(takeAll(endpoints, 900).started).toEqual([]);
    const well = delivery('https://well.test/');
    endpoints.enqueue(well, 900);
    endpoints.finish(well, true, 10, 900);
    expect(takeAll(endpoints, 900).started.map(({ url }) => url)).toEqual(['https://well.test/']);
  });

  it('that begin to hang lose the places of the quick, and what stands in their line', () => {
    const endpoints = new Endpoints(schedule);
    let quick = 0;
    for (let i = 0; i < 40; i++) {
      const account = newId();
      standing(endpoints, 1_000, 'https://one.test/', account);
      const { started } = takeAll(endpoints);
      endpoints.finish(started.find(({ accountId }) => accountId === account)!, true, 10, 0);
      quick += takeAll(endpoints).started.length;
    }
    expect(quick).toBeGreaterThan(400);
    const { left } = takeAll(endpoints, 1_000);
    expect(left).toBeGreaterThan(40 * 500);
    const other = newId();
    standing(endpoints, 100, 'https://one.test/', other);
    const ofOther = () => takeAll(endpoints, 1_000).started.filter(({ accountId }) => accountId === other);
    const trials = ofOther();
    endpoints.finish(trials[0]!, true, 10, 1_000);
    expect(trials.length - 1 + ofOther().length).toBe(32);
  });

  it('take turns', () => {
    const endpoints = new Endpoints(schedule);
    const [one, two] = [newId(), newId()];
    standing(endpoints, 3, 'https://a.test/', one);
    standing(endpoints, 3, 'https://b.test/', one);
    standing(endpoints, 3, 'https://a.test/', two);
    const turns = takeAll(endpoints).started.map(
      ({ url, accountId }) => `${accountId === one ? 1 : 2}${url.charAt(8)}`,
    );
    expect(turns.slice(0, 6)).toEqual(['1a', '2a', '1b', '2a', '1a', '2a']);
  });

  it('that fail are refused, then probed, then served again', () => {
    const endpoints = new Endpoints(schedule);
    standing(endpoints, 40);
    for (const one of takeAll(endpoints).started) endpoints.finish(one, false, 10, 0);
    const { started } = takeAll(endpoints);
    endpoints.finish(started[0]!, false, 10, 0);
    expect(takeAll(endpoints)).toEqual({ started: [], refused: 4, left: 0 });
    standing(endpoints, 1);
    expect(takeAll(endpoints)).toEqual({ started: [], refused: 1, left: 0 });
    for (const one of started.slice(1)) endpoints.finish(one, false, 10, 0);
    const later = schedule.firstWaitMs;
    standing(endpoints, 20);
    const probes = takeAll(endpoints, later).started;
    expect(probes).toHaveLength(3);
    for (const probe of probes) endpoints.finish(probe, true, 10, later);
    expect(takeAll(endpoints, later).started).toHaveLength(17);
  });

  it('that are idle and well are forgotten', () => {
    const endpoints = new Endpoints(schedule);
    for (let i = 0; i < 50; i++) standing(endpoints, 1, `https://${i}.test/`, newId());
    for (const one of takeAll(endpoints).started) endpoints.finish(one, one.url !== 'https://7.test/', 10, 0);
    expect(endpoints.size).toBe(1);
  });

  it('are remembered in a bounded number when they fail', () => {
    const endpoints = new Endpoints(schedule);
    for (let i = 0; i < 10_100; i++) {
      standing(endpoints, 1, `https://${i}.test/`);
      for (const one of takeAll(endpoints).started) endpoints.finish(one, false, 10, 0);
    }
    expect(endpoints.size).toBe(10_000);
  });

  it('whose line is full leave what comes in the table, and ask for it when the line is short', () => {
    const endpoints = new Endpoints(schedule);
    let placed = 0;
    while (endpoints.hasPlaceFor(delivery(), 0)) {
      standing(endpoints, 1);
      placed++;
    }
    expect(placed).toBe(2_000);
    const waits = Array.from({ length: 100 }, () => endpoints.leave(delivery(), 0));
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits[0]).toBeGreaterThanOrEqual(5_000);
    expect(endpoints.nextHungry(() => true)).toBeNull();
    while (placed > 499) {
      for (const one of takeAll(endpoints).started) {
        endpoints.finish(one, true, 10, 0);
        placed--;
      }
    }
    expect(endpoints.nextHungry(() => false)).toBeNull();
    const hungry = endpoints.nextHungry(() => true);
    expect(hungry).toEqual({ endpoint: { accountId: ACCOUNT, origin: 'https://one.test' }, room: expect.any(Number) });
    expect(endpoints.nextHungry(() => true)).toBeNull();
    endpoints.fed(hungry!.endpoint, false, 0);
    expect(endpoints.nextHungry(() => true)).toEqual(hungry);
    endpoints.fed(hungry!.endpoint, true, 0);
    expect(endpoints.nextHungry(() => true)).toBeNull();
  });

  it('that are slow have a short line', () => {
    const endpoints = new Endpoints(schedule);
    standing(endpoints, 200);
    let underWay = takeAll(endpoints).started;
    for (let round = 0; round < 5; round++) {
      for (const one of underWay) endpoints.finish(one, true, 10_000, 0);
      underWay = takeAll(endpoints).started;
    }
    // 36 stand in line still, and 32 at a time take 10 s: two in line are a second's wait and more.
    expect(endpoints.hasPlaceFor(delivery(), 0)).toBe(false);
    for (const one of underWay) endpoints.finish(one, true, 10_000, 0);
    takeAll(endpoints);
    expect([endpoints.hasPlaceFor(delivery(), 0), endpoints.hasPlaceFor(delivery(), 16)]).toEqual([true, false]);
  });

  it('of which something may be left are bounded too', () => {
    const endpoints = new Endpoints(schedule);
    for (let i = 0; i < 10_100; i++) {
      expect(endpoints.leave(delivery(`https://${i}.test/`), 0)).toBeGreaterThanOrEqual(5_000);
    }
    expect(endpoints.size).toBe(10_000);
  });
});
