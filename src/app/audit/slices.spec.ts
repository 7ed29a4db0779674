import { cutBucket, nextSlice, type Slice, type TimeRange, wholeMinutes } from './slices.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOW_MS = Date.parse('2026-03-04T05:06:07.890Z');

/** All slices of a range, where each holds what `heldIn` says. */
function walk(whole: TimeRange, heldIn: (slice: Slice) => number): Slice[] {
  const slices: Slice[] = [];
  for (let slice = nextSlice(whole, null); slice; slice = nextSlice(whole, { slice, held: heldIn(slice) })) {
    slices.push(slice);
  }
  return slices;
}

describe('the slices of a range', () => {
  const whole = wholeMinutes({ fromMs: NOW_MS - 400 * DAY_MS, toMs: NOW_MS });
  const perMinute = (rate: number) => (slice: Slice) => ((slice.toMs - slice.fromMs) / MINUTE_MS) * rate;

  it.each([
    ['nothing', () => 0],
    ['a message an hour', perMinute(1 / 60)],
    ['a hundred a minute', perMinute(100)],
    ['a burst, and nothing before', (slice: Slice) => (slice.fromMs > NOW_MS - DAY_MS ? 1_000_000 : 0)],
  ])('leave no gap and do not overlap where it holds %s', (_, heldIn) => {
    const slices = walk(whole, heldIn);
    expect(slices[0]!.toMs).toBe(whole.toMs);
    expect(slices.at(-1)!.fromMs).toBe(whole.fromMs);
    expect(slices.slice(1).map(({ toMs }) => toMs)).toEqual(slices.slice(0, -1).map(({ fromMs }) => fromMs));
    for (const { fromMs, bucketMs } of slices) expect(fromMs % bucketMs).toBe(0);
  });

  it('are few where there is nothing, and hold a bounded number where there is much', () => {
    expect(walk(whole, () => 0).length).toBeLessThan(40);
    const day = wholeMinutes({ fromMs: NOW_MS - DAY_MS, toMs: NOW_MS });
    const held = perMinute(20_000);
    expect(Math.max(...walk(day, held).map(held))).toBeLessThan(400_000);
  });

  it('are none of an empty range', () => {
    expect(nextSlice({ fromMs: 0, toMs: 0 }, null)).toBeNull();
  });
});

describe('a bucket', () => {
  it('is cut until it is a second long', () => {
    let slice = walk({ fromMs: 0, toMs: 400 * DAY_MS }, () => 0)[10]!;
    let cuts = 0;
    for (let cut = cutBucket(slice.fromMs, slice.bucketMs); cut; cut = cutBucket(slice.fromMs, slice.bucketMs)) {
      expect(cut).toMatchObject({ fromMs: slice.fromMs, toMs: slice.fromMs + slice.bucketMs });
      expect(cut.fromMs % cut.bucketMs).toBe(0);
      slice = cut;
      cuts++;
    }
    expect(slice.bucketMs).toBe(1000);
    expect(cuts).toBeGreaterThan(1);
  });
});
