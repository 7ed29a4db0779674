import fc from 'fast-check';
import { Pacer } from './pacer.js';

const BURST_MS = 100;
const SLICE_MS = 60;
const LONGEST_PAUSE_MS = 5_000;

/** Lets messages of these sizes leave as early as the pace allows; returns the instants. */
function leave(pacer: Pacer, sizes: readonly number[], fromMs = 0): number[] {
  let now = fromMs;
  return sizes.map((size) => {
    for (let wait = pacer.waitMs(now); wait > 0; wait = pacer.waitMs(now)) now += wait;
    pacer.take(now, size);
    return now;
  });
}

it('has no limit without a rate', () => {
  const pacer = new Pacer(null, () => 0, 0);
  expect(leave(pacer, Array(1000).fill(10))).toEqual(Array(1000).fill(0));
});

it('keeps to its rate in any stretch of time, but for a burst and the last message', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 2, maxLength: 60 }),
      (perSecond, sizes) => {
        const times = leave(new Pacer(perSecond, () => 0.5, 0), sizes);
        const burst = Math.max(1, (perSecond * BURST_MS) / 1000);
        for (let from = 0; from < sizes.length; from++) {
          let left = 0;
          for (let to = from; to < sizes.length; to++) {
            const allowed = burst + ((times[to]! - times[from]!) * perSecond) / 1000;
            expect(left).toBeLessThanOrEqual(allowed + 1e-6);
            left += sizes[to]!;
          }
        }
      },
    ),
  );
});

it('uses its rate: nobody waits longer than it takes to earn a message and a slice', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 2, max: 200 }), (perSecond, count) => {
      const times = leave(new Pacer(perSecond, () => 0.5, 0), Array(count).fill(1));
      expect(times.at(-1)).toBeLessThanOrEqual((count * 1000) / perSecond + count + SLICE_MS);
    }),
  );
});

it('lets what waits for the pace leave a few at a time, and what need not wait at once', () => {
  const pacer = new Pacer(100, () => 0.5, 0);
  const times = leave(pacer, Array(10 + 24).fill(1));
  expect(times.slice(0, 10)).toEqual(Array(10).fill(0));
  expect(times.slice(10)).toEqual([40, 80, 120, 160, 200, 240].flatMap((at) => Array(4).fill(at)));
  expect(pacer.waitMs(1_000)).toBe(0);
});

it('saves for no more than one message while it is slowed', () => {
  const pacer = new Pacer(100, () => 1, 0);
  let now = 0;
  for (let round = 0; round < 5; round++) {
    pacer.throttled(now);
    now += pacer.waitMs(now);
  }
  now = leave(pacer, Array(20).fill(1), now).at(-1)!;
  expect(pacer.waitMs(now)).toBeLessThanOrEqual(1_000 / (100 * pacer.share(now)));
});

it('pauses when it is throttled, longer each time, and at its former rate in the end', () => {
  const pacer = new Pacer(100, () => 1, 0);
  const waits: number[] = [];
  let now = 0;
  for (let round = 0; round < 10; round++) {
    pacer.throttled(now);
    waits.push(pacer.waitMs(now));
    now += pacer.waitMs(now);
  }
  expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800]);
  expect(waits.at(-1)).toBe(LONGEST_PAUSE_MS);
  expect(pacer.share(now)).toBeLessThan(1);
  expect(pacer.share(now + 10_000)).toBe(1);
});

it('counts the answers of one window that throttle as one', () => {
  const pacer = new Pacer(100, () => 1, 0);
  for (let answer = 0; answer < 50; answer++) pacer.throttled(0);
  expect(pacer.waitMs(0)).toBe(100);
  expect(pacer.share(0)).toBe(0.5);
});

it('shortens its pauses little by little with every answer', () => {
  const pacer = new Pacer(null, () => 1, 0);
  pacer.throttled(0);
  pacer.throttled(100);
  pacer.answered();
  pacer.throttled(300);
  expect(pacer.waitMs(300)).toBe(380);
  for (let answer = 0; answer < 100; answer++) pacer.answered();
  pacer.throttled(700);
  expect(pacer.waitMs(700)).toBe(100);
});
