import { median, quantile, ratiosOf, spreadOf } from './statistics.js';

describe('the median', () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of nothing is an error, and leaves what it is given in its order', () => {
    expect(() => median([])).toThrow(RangeError);
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('a quantile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0, 1],
  ])('%d of 1 to 100 is %d', (share, expected) => {
    expect(quantile(hundred, share)).toBe(expected);
  });

  it('of a single value is that value, of nothing an error', () => {
    expect(quantile([7], 0.99)).toBe(7);
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

it('a spread has the median with what it lies between', () => {
  expect(spreadOf([2, 9, 4])).toEqual({ median: 4, min: 2, max: 9, values: [2, 9, 4] });
});

it('ratios are taken round by round, and need a baseline for each', () => {
  expect(ratiosOf([10, 30], [5, 10])).toEqual([2, 3]);
  expect(() => ratiosOf([1, 2], [1])).toThrow(RangeError);
});
