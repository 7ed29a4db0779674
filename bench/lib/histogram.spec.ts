import fc from 'fast-check';
import { Histogram } from './histogram.js';
import { quantile } from './statistics.js';

const PRECISION = 0.016;

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('a histogram', () => {
  it('keeps small values exactly and large ones to 1.6 %, whatever the values and the quantile', () => {
    const values = fc.array(fc.integer({ min: 0, max: 1_800_000_000 }), { minLength: 1, maxLength: 200 });
    const share = fc.constantFrom(0, 0.5, 0.9, 0.99, 1);
    fc.assert(
      fc.property(values, share, (micros, each) => {
        const exact = quantile(micros, each);
        const found = histogramOf(micros).quantileMs(each) * 1_000;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact < 128 ? 1e-9 : exact * PRECISION);
      }),
    );
  });

  it('counts a value beyond its range as the largest, and a negative one as none', () => {
    const histogram = histogramOf([-5, 2 ** 40]);
    expect(histogram.count).toBe(2);
    expect(histogram.quantileMs(0)).toBe(0);
    expect(histogram.quantileMs(1)).toBeGreaterThan(2_000_000);
  });

  it('survives the way between processes, and adds up', () => {
    const one = histogramOf([10, 20, 1_000_000]);
    const copy = Histogram.from(structuredClone(one.buckets()));
    copy.add(histogramOf([30]).buckets());
    expect(copy.count).toBe(4);
    expect(copy.quantileMs(0.75)).toBeCloseTo(0.03);
  });

  it('has no quantile while it is empty', () => {
    expect(() => new Histogram().quantileMs(0.5)).toThrow(RangeError);
  });
});
