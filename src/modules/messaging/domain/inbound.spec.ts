import { addressOf, storable } from './inbound.js';

describe('a number as a carrier types it', () => {
  it.each([
    ['+15005550006', '+15005550006'],
    ['15005550006', '+15005550006'],
    ['+1 (500) 555-0006', '+15005550006'],
    [' 15005550006 ', '+15005550006'],
    ['447911123456', '+447911123456'],
    ['12345', '12345'],
    ['ACME', 'ACME'],
    ['1500555', '1500555'],
    ['\u0000ACME\ud800', 'ACME\ufffd'],
  ])('%j is kept as %j', (typed, kept) => {
    expect(addressOf(typed)).toBe(kept);
  });

  it('is bounded', () => {
    expect(addressOf('x'.repeat(1_000))).toHaveLength(40);
  });
});

describe('a text', () => {
  it('loses what no database holds', () => {
    expect(storable('a\0b\ud800c😀')).toBe('ab\ufffdc😀');
  });
});
