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

/** Takes as long as something may start; refused ones are told apart. */
function takeAll(endpoints: Endpoints, nowMs = 0): { started: Delivery[]; refused: number } {
  const started: Delivery[] = [];
  let refused = 0;
  for (let next = endpoints.take(nowMs); next; next = endpoints.take(nowMs)) {
    if ('delivery' in next) started.push(next.delivery);
    else refused += next.refused.length;
  }
  return { started, refused };
}

describe('endpoints', () => {
  it('have 32 attempts under way each, 128 an account, however many endpoints it has', () => {
    const endpoints = new Endpoints(schedule);
    for (let i = 0; i < 10; i++) standing(endpoints, 100, `https://${i}.test/x`);
    standing(endpoints, 100, 'https://other.test/', newId());
    const { started } = takeAll(endpoints);
    expect(started).toHaveLength(128 + 32);
    const origins = started.map((one) => new URL(one.url).origin);
    for (const origin of new Set(origins)) {
      expect(origins.filter((other) => other === origin).length).toBeLessThanOrEqual(32);
    }
    expect(endpoints.take(0)).toBeNull();
    endpoints.finish(started[0]!, true, 10, 0);
    expect(takeAll(endpoints).started).toHaveLength(1);
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
    const { started } = takeAll(endpoints);
    for (const one of started.slice(0, 5)) endpoints.finish(one, false, 10, 0);
    expect(takeAll(endpoints)).toEqual({ started: [], refused: 8 });
    standing(endpoints, 1);
    expect(takeAll(endpoints)).toEqual({ started: [], refused: 1 });
    for (const one of started.slice(5)) endpoints.finish(one, false, 10, 0);
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
    for (let round = 0; round < 4; round++) {
      for (const one of underWay) endpoints.finish(one, true, 10_000, 0);
      underWay = takeAll(endpoints).started;
    }
    // 40 stand in line still, and 32 at a time take 10 s: two in line are a second's wait and more.
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
