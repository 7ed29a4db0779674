import fc from 'fast-check';
import { formatAmount, formatPrice, multiply, parseAmount } from './money.js';

const MAX = 2n ** 63n - 1n;
const anyMicros = fc.bigInt({ min: -(2n ** 63n), max: MAX });

describe('parseAmount', () => {
  it.each([
    ['100.00', 100_000_000n],
    ['0', 0n],
    ['0.000001', 1n],
    ['0.0079', 7_900n],
    ['10', 10_000_000n],
    ['1.5', 1_500_000n],
    ['9223372036854.775807', MAX],
  ])('reads %s as %d micro-units', (text, micros) => {
    expect(parseAmount(text)).toEqual({ ok: true, micros });
  });

  it.each([
    ['', 'not_a_number'],
    [' ', 'not_a_number'],
    ['abc', 'not_a_number'],
    ['1e3', 'not_a_number'],
    ['+1', 'not_a_number'],
    ['.5', 'not_a_number'],
    ['5.', 'not_a_number'],
    ['1,000.00', 'not_a_number'],
    ['1.0.0', 'not_a_number'],
    ['01', 'not_a_number'],
    ['0x10', 'not_a_number'],
    ['1_000', 'not_a_number'],
    [' 1', 'not_a_number'],
    ['1\n', 'not_a_number'],
    ['１', 'not_a_number'],
    ['NaN', 'not_a_number'],
    ['Infinity', 'not_a_number'],
    ['--1', 'not_a_number'],
    ['-1', 'negative'],
    ['0.0000001', 'too_many_decimals'],
    ['9223372036854.775808', 'out_of_range'],
    ['10000000000000', 'out_of_range'],
    ['9'.repeat(50), 'out_of_range'],
  ])('refuses %j: %s', (text, reason) => {
    expect(parseAmount(text)).toEqual({ ok: false, reason });
  });

  it('reads a negative amount only where it is allowed', () => {
    expect(parseAmount('-0.5', { allowNegative: true })).toEqual({ ok: true, micros: -500_000n });
    expect(parseAmount('-9223372036854.775808', { allowNegative: true })).toEqual({ ok: true, micros: -MAX - 1n });
    expect(parseAmount('-9223372036854.775809', { allowNegative: true })).toEqual({
      ok: false,
      reason: 'out_of_range',
    });
    expect(parseAmount('-0.5', { allowNegative: false })).toEqual({ ok: false, reason: 'negative' });
  });

  it('reads a million digits at the cost of reading them', () => {
    expect(parseAmount('9'.repeat(1_000_000))).toEqual({ ok: false, reason: 'out_of_range' });
    expect(parseAmount(`0.${'0'.repeat(1_000_000)}`)).toEqual({ ok: false, reason: 'too_many_decimals' });
  });
});

describe('formatAmount', () => {
  it.each([
    [100_000_000n, 2, '100.00'],
    [0n, 2, '0.00'],
    [0n, 0, '0'],
    [1n, 2, '0.000001'],
    [7_900n, 2, '0.0079'],
    [1_500_000n, 0, '1.5'],
    [10_000_000n, 0, '10'],
    [-500_000n, 2, '-0.50'],
    [-1n, 6, '-0.000001'],
  ])('writes %d with at least %d decimals as %s', (micros, minDecimals, text) => {
    expect(formatAmount(micros, { minDecimals })).toBe(text);
  });

  it('has two decimals by default', () => expect(formatAmount(1_000_000n)).toBe('1.00'));

  it.each([-1, 7, 1.5, Number.NaN])('refuses %d decimals', (minDecimals) => {
    expect(() => formatAmount(1n, { minDecimals })).toThrow(RangeError);
  });

  it('writes what parseAmount reads back', () => {
    fc.assert(
      fc.property(anyMicros, fc.integer({ min: 0, max: 6 }), (micros, minDecimals) => {
        const text = formatAmount(micros, { minDecimals });
        expect(parseAmount(text, { allowNegative: true })).toEqual({ ok: true, micros });
      }),
    );
  });
});

describe('formatPrice', () => {
  it.each([
    [7_500n, '-0.00750'],
    [7_900n, '-0.00790'],
    [40_000n, '-0.04000'],
    [1n, '-0.000001'],
    [12_345_678n, '-12.345678'],
    [0n, '0.00000'],
    [null, null],
  ])('writes a charge of %p as %p', (micros, text) => {
    expect(formatPrice(micros)).toBe(text);
  });
});

describe('multiply', () => {
  it('is exact', () => {
    expect(multiply(7_900n, 3)).toBe(23_700n);
    expect(multiply(7_900n, 0)).toBe(0n);
    expect(multiply(MAX, 1)).toBe(MAX);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses the count %d', (count) => {
    expect(() => multiply(1n, count)).toThrow(RangeError);
  });

  it('refuses a result that does not fit', () => {
    expect(() => multiply(MAX, 2)).toThrow('exceeds 64 bits');
  });
});
