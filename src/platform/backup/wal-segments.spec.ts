import { walSegments } from './wal-segments.js';

const MB = 1024 * 1024;

describe('the segments of the log of changes', () => {
  it('are one where it begins and ends in the same', () => {
    const name = '000000010000000000000003';
    expect(walSegments(name, name, 16 * MB)).toEqual([name]);
  });

  it('go on in the next log after the last of one, by their size', () => {
    expect(walSegments('0000000A00000001000000FE', '0000000A0000000200000001', 16 * MB)).toEqual([
      '0000000A00000001000000FE',
      '0000000A00000001000000FF',
      '0000000A0000000200000000',
      '0000000A0000000200000001',
    ]);
    expect(walSegments('000000010000000000000003', '000000010000000100000000', 1024 * MB)).toEqual([
      '000000010000000000000003',
      '000000010000000100000000',
    ]);
  });

  it.each([
    ['in the wrong order', '000000010000000000000004', '000000010000000000000003'],
    ['of two timelines', '000000010000000000000003', '000000020000000000000004'],
    ['too many', '000000010000000000000003', '000000017FFFFFFF00000003'],
    ['of a strange name', '000000010000000000000003', 'pg_wal/../x'],
  ])('are refused %s', (_, first, last) => {
    expect(() => walSegments(first, last, 16 * MB)).toThrow(/segment/);
  });
});
