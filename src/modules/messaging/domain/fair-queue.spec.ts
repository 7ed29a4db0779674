import fc from 'fast-check';
import { FairQueue } from './fair-queue.js';
import { LANES, type Lane, laneOf } from './lane.js';

function drain(queue: FairQueue, limit = 10_000) {
  const picked: { lane: Lane; accountId: string; id: string }[] = [];
  while (picked.length < limit) {
    const next = queue.next();
    if (!next) break;
    picked.push(next);
  }
  return picked;
}

describe('the lanes', () => {
  it('are chosen by the intent, and whatever is unknown is normal', () => {
    expect(['otp', 'fraud', 'security'].map(laneOf)).toEqual(['realtime', 'realtime', 'realtime']);
    expect(['marketing', 'events', 'polling'].map(laneOf)).toEqual(['bulk', 'bulk', 'bulk']);
    expect([undefined, '', 'constructor', '__proto__', 'OTP', 'hello'].map(laneOf)).toEqual(Array(6).fill('normal'));
  });
});

describe('the fair queue', () => {
  it('gives tenants their turns, however much one of them has', () => {
    const queue = new FairQueue('carrier');
    for (let index = 0; index < 500; index++) queue.push('normal', 'big', `big-${index}`);
    queue.push('normal', 'small', 'small-0');
    queue.push('normal', 'small', 'small-1');
    expect(drain(queue, 4).map((item) => item.accountId)).toEqual(['big', 'small', 'big', 'small']);
  });

  it('lets realtime go first and never starves bulk', () => {
    const queue = new FairQueue('carrier');
    for (let index = 0; index < 300; index++) {
      for (const lane of LANES) queue.push(lane, 'tenant', `${lane}-${index}`);
    }
    const first = drain(queue, 21 * 5).map((item) => item.lane);
    expect(first[0]).toBe('realtime');
    const count = (lane: Lane) => first.filter((one) => one === lane).length;
    expect([count('realtime'), count('normal'), count('bulk')]).toEqual([80, 20, 5]);
  });

  it('is bounded per tenant: what is over stays in the database until there is room', () => {
    const queue = new FairQueue('carrier');
    for (let index = 0; index < 5000; index++) queue.push('bulk', 'tenant', String(index));
    expect(queue.size).toBe(1000);
    expect(queue.hungry(10)).toEqual([]);
    expect(drain(queue)).toHaveLength(1000);
    expect(queue.hungry(10)).toEqual([{ queue: 'carrier', lane: 'bulk', accountId: 'tenant' }]);
  });

  it('is bounded over all tenants, and gives each of them room', () => {
    const queue = new FairQueue('carrier');
    for (let tenant = 0; tenant < 1000; tenant++) {
      for (let index = 0; index < 300; index++) queue.push('normal', `tenant-${tenant}`, `${tenant}-${index}`);
    }
    expect(queue.size).toBeLessThanOrEqual(100_000);
    expect(new Set(drain(queue, 999).map((item) => item.accountId)).size).toBeGreaterThan(300);
    expect(queue.share).toBe(100);
  });

  it('reads the tenants of every lane anew, however many of a lane before it have nothing here', () => {
    const queue = new FairQueue('carrier');
    for (let tenant = 0; tenant < 20; tenant++) queue.markBehind('realtime', `realtime-${tenant}`);
    queue.markBehind('bulk', 'bulk');
    expect(queue.hungry(8).map((place) => place.lane)).toContain('bulk');
    const asked = new Set<string>();
    for (let round = 0; round < 10; round++) {
      for (const place of queue.hungry(8)) {
        asked.add(place.accountId);
        queue.refill(place, [], false);
      }
    }
    expect(asked.size).toBe(21);
  });

  it('loses nothing that is accepted while a page is read', () => {
    const queue = new FairQueue('carrier');
    queue.markBehind('normal', 'tenant');
    const [place] = queue.hungry(1);
    queue.push('normal', 'tenant', 'during'); // not in the page: it was read before
    queue.refill(place!, ['before'], true);
    expect(drain(queue).map((item) => item.id)).toEqual(['before']);
    expect(queue.hungry(1)).toHaveLength(1); // so it is read once more
  });

  it('hands out every message once, oldest first within a tenant and lane', () => {
    const arbitrary = fc.array(fc.record({ lane: fc.constantFrom(...LANES), tenant: fc.constantFrom('a', 'b', 'c') }), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(arbitrary, (pushes) => {
        const queue = new FairQueue('carrier');
        pushes.forEach(({ lane, tenant }, index) => {
          queue.push(lane, tenant, String(index));
        });
        const picked = drain(queue);
        expect(new Set(picked.map((item) => item.id)).size).toBe(pushes.length);
        for (const lane of LANES) {
          for (const tenant of ['a', 'b', 'c']) {
            const ids = picked
              .filter((item) => item.lane === lane && item.accountId === tenant)
              .map((i) => Number(i.id));
            expect(ids).toEqual([...ids].sort((a, b) => a - b));
          }
        }
      }),
    );
  });

  it('gives back in order what could not be handed over', () => {
    const queue = new FairQueue('carrier');
    for (const id of ['1', '2', '3']) queue.push('normal', 'tenant', id);
    const picked = drain(queue, 2);
    for (const item of [...picked].reverse()) queue.unshift(item.lane, item.accountId, item.id);
    expect(drain(queue).map((item) => item.id)).toEqual(['1', '2', '3']);
  });
});
