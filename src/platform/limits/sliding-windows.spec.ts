import fc from 'fast-check';
import type { Limit } from './limiter.js';
import { SlidingWindows } from './sliding-windows.js';

const SECOND: Limit = { windowMs: 1_000, buckets: 10, max: 5 };
const MINUTE: Limit = { windowMs: 60_000, buckets: 60, max: 12 };

let nowMs = 0;
const windows = (maxKeys?: number) => {
  nowMs = 1_000_000;
  return new SlidingWindows(() => nowMs, maxKeys);
};

describe('sliding windows', () => {
  it('let no span of their length hold more than the limit, whatever arrives when', () => {
    const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 4 })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(arrivals, (gaps) => {
        const limiter = windows();
        const granted: { at: number; count: number }[] = [];
        for (const [gap, count] of gaps) {
          nowMs += gap;
          if (limiter.take('a', [SECOND, MINUTE], count).granted) granted.push({ at: nowMs, count });
        }
        for (const { windowMs, max } of [SECOND, MINUTE]) {
          const held = granted.map(({ at }) =>
            granted.reduce((sum, other) => sum + (other.at > at - windowMs && other.at <= at ? other.count : 0), 0),
          );
          expect(Math.max(0, ...held)).toBeLessThanOrEqual(max);
        }
      }),
    );
  });

  it('never refuse a steady rate just below the limit', () => {
    const rates = fc.record({
      max: fc.integer({ min: 20, max: 1_000 }),
      buckets: fc.integer({ min: 10, max: 100 }),
      start: fc.integer({ min: 0, max: 100_000 }),
    });
    fc.assert(
      fc.property(rates, ({ max, buckets, start }) => {
        const limiter = windows();
        // One bucket more than the window may count, and one arrival may stand on each edge.
        const perMs = ((max - 1) * buckets) / (buckets + 1) / 1_000;
        const limits = [{ windowMs: 1_000, buckets, max }];
        let refused = 0;
        for (let n = 0; n < 3 * max; n++) {
          nowMs = 1_000_000 + start + n / perMs;
          if (!limiter.take('a', limits, 1).granted) refused++;
        }
        expect(refused).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('take from all windows or from none', () => {
    const limiter = windows();
    expect(limiter.take('a', [SECOND, MINUTE], 5)).toMatchObject({ granted: true, limit: 5, remaining: 0 });
    expect(limiter.take('a', [SECOND, MINUTE], 1)).toMatchObject({ granted: false, limit: 5, remaining: 0 });
    nowMs += 1_100;
    expect(limiter.take('a', [SECOND, MINUTE], 5)).toMatchObject({ granted: true, limit: 5, remaining: 0 });
    nowMs += 1_100;
    expect(limiter.take('a', [SECOND, MINUTE], 3)).toMatchObject({ granted: false, limit: 12, remaining: 2 });
    expect(limiter.take('a', [SECOND, MINUTE], 2)).toMatchObject({ granted: true, limit: 12, remaining: 0 });
  });

  it('say when there is room again, and then there is', () => {
    const limiter = windows();
    for (let n = 0; n < 5; n++) {
      limiter.take('a', [SECOND], 1);
      nowMs += 130;
    }
    const refused = limiter.take('a', [SECOND], 2);
    expect(refused.granted).toBe(false);
    expect(limiter.waitMs('a', [SECOND])).toBeLessThan(refused.resetMs);
    nowMs += refused.resetMs - 1;
    expect(limiter.take('a', [SECOND], 2).granted).toBe(false);
    nowMs += 1;
    const granted = limiter.take('a', [SECOND], 2);
    expect(granted.granted).toBe(true);
    expect(granted.remaining).toBeLessThan(2);
    nowMs += granted.resetMs;
    expect(limiter.take('a', [SECOND], 2).granted).toBe(true);
  });

  it('never grant more than the limit at once, and follow a limit that changes', () => {
    const limiter = windows();
    expect(limiter.take('a', [SECOND], 6).granted).toBe(false);
    expect(limiter.take('a', [{ ...SECOND, max: 10 }], 8)).toMatchObject({ granted: true, remaining: 2 });
    expect(limiter.take('a', [SECOND], 1)).toMatchObject({ granted: false, remaining: 0 });
    limiter.note('b', [SECOND], 7);
    expect(limiter.take('b', [SECOND], 1).granted).toBe(false);
    expect(limiter.take('c', [SECOND], 1)).toMatchObject({ granted: true, remaining: 4 });
  });

  it('forget what is idle, and hold a bounded number of keys', () => {
    const limiter = windows(10);
    for (let n = 0; n < 1_000; n++) limiter.take(`key-${n}`, [SECOND], 1);
    expect(limiter.size).toBeLessThanOrEqual(20);
    nowMs += 130_000;
    limiter.take('a', [SECOND], 1);
    nowMs += 130_000;
    limiter.take('a', [SECOND], 1);
    expect(limiter.size).toBe(1);
    nowMs += 1_000_000;
    expect(limiter.take('a', [SECOND], 1)).toMatchObject({ granted: true, remaining: 4 });
    expect(limiter.size).toBe(1);
  });
});
