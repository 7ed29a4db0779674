import { byPrefix, priceOf, type Rate, RateTable } from './rates.js';

const rate = (prefix: string, priceMicros: number): Rate => ({ prefix, priceMicros, currency: 'USD' });

describe('a rate table', () => {
  const general = byPrefix([rate('', 40_000), rate('+1', 7_900), rate('+1555', 5_000), rate('+44', 30_000)]);
  const own = byPrefix([rate('+1', 7_000), rate('+15551', 1)]);

  it.each([
    ['+15005550006', 7_000],
    ['+15552345678', 5_000],
    ['+15551345678', 1],
    ['+447700900123', 30_000],
    ['+33612345678', 40_000],
    ['+', 40_000],
    ['', 40_000],
  ])('prices %j by its longest prefix, an own rate before a general one of the same', (to, priceMicros) => {
    expect(new RateTable(own, general).find(to)?.priceMicros).toBe(priceMicros);
  });

  it('has no price where no prefix matches', () => {
    expect(new RateTable(byPrefix([rate('+1', 1)]), byPrefix([])).find('+44')).toBeNull();
  });

  it('reads no further than a prefix can be long', () => {
    const digits = `+${'1'.repeat(15)}`;
    expect(new RateTable(byPrefix([rate(digits, 3)]), general).find(digits + '0'.repeat(100_000))?.priceMicros).toBe(3);
  });
});

describe('a price', () => {
  it('is per segment', () => expect(priceOf(rate('', 7_900), 3)).toBe(23_700));

  it.each([0, -1, 1.5, Number.NaN, Number.MAX_SAFE_INTEGER])('is none for %p segments', (segments) => {
    expect(priceOf(rate('', 7_900), segments)).toBeNull();
  });
});
