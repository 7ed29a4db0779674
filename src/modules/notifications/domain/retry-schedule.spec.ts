import fc from 'fast-check';
import { RETRY_WAITS_MS, RetrySchedule } from './retry-schedule.js';

const MINUTE_MS = 60_000;
const schedule = new RetrySchedule();
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the retry schedule', () => {
  it('waits 1, 5 and 30 minutes, 1, 6 and 24 hours, and then no more', () => {
    expect(RETRY_WAITS_MS.map((waitMs) => waitMs / MINUTE_MS)).toEqual([1, 5, 30, 60, 360, 1440]);
    expect(schedule.waitMs(7, 0.5, null)).toBeNull();
  });

  it('adds 10 to 20 % to each wait', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), random, (attempts, chance) => {
        const waitMs = schedule.waitMs(attempts, chance, null)!;
        const base = RETRY_WAITS_MS[attempts - 1]!;
        expect(waitMs).toBeGreaterThanOrEqual(base * 1.1 - 1);
        expect(waitMs).toBeLessThanOrEqual(base * 1.2 + 1);
      }),
    );
  });

  it('waits at least as long as the endpoint asks for, a day at most, and never less than without', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        random,
        fc.integer({ min: 0, max: 10_000_000_000 }),
        (attempts, chance, asked) => {
          const waitMs = schedule.waitMs(attempts, chance, asked)!;
          expect(waitMs).toBeGreaterThanOrEqual(schedule.waitMs(attempts, chance, null)!);
          expect(waitMs).toBeGreaterThanOrEqual(Math.min(asked, 24 * 60 * MINUTE_MS));
          expect(waitMs).toBeLessThanOrEqual(24 * 60 * MINUTE_MS * 1.2 + 1);
        },
      ),
    );
  });

  it('makes as many attempts as there are waits, and one', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 10 }), (waits) => {
        const own = new RetrySchedule(waits);
        let attempts = 1;
        while (own.waitMs(attempts, 0, null) !== null) attempts++;
        expect(attempts).toBe(waits.length + 1);
      }),
    );
  });
});
