import fc from 'fast-check';
import { idFloor, idTimeMs, newId, parseSid, sidOf } from './sid.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOW_MS = 1_700_000_000_000;
const anyTimeMs = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe('newId', () => {
  it('is a UUIDv7 of the given time', () => {
    fc.assert(
      fc.property(anyTimeMs, (timeMs) => {
        const id = newId(timeMs);
        expect(id).toMatch(UUID_V7);
        expect(idTimeMs(id)).toBe(timeMs);
      }),
    );
  });

  it('takes the time of the system clock by default', () => {
    const before = Date.now();
    const timeMs = idTimeMs(newId());
    expect(timeMs).toBeGreaterThanOrEqual(before);
    expect(timeMs).toBeLessThanOrEqual(Date.now());
  });

  it('ascends within a millisecond and over milliseconds, without a duplicate', () => {
    const ids = Array.from({ length: 100_000 }, (_, i) => newId(NOW_MS + Math.floor(i / 50_000)));
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });

  it('follows a clock that is set back', () => {
    expect(idTimeMs(newId(NOW_MS))).toBe(NOW_MS);
    expect(idTimeMs(newId(NOW_MS - 5))).toBe(NOW_MS - 5);
    expect(newId(NOW_MS - 5) < newId(NOW_MS)).toBe(true);
  });

  it('does not repeat itself when a millisecond comes back', () => {
    const ids = Array.from({ length: 1_000 }, (_, i) => newId(NOW_MS + (i % 2)));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([-1, 1.5, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY])('refuses the time %d', (timeMs) => {
    expect(() => newId(timeMs)).toThrow(RangeError);
    expect(newId(NOW_MS)).toMatch(UUID_V7);
  });
});

describe('SID', () => {
  it('is the prefix and the digits of the id, and reads back', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.constantFrom('AC', 'SM', 'MM', 'MG', 'SK', 'PN', 'ME'), (id, prefix) => {
        const sid = sidOf(prefix, id);
        expect(sid).toBe(prefix + id.replaceAll('-', ''));
        expect(parseSid(prefix, sid)).toBe(id);
        expect(parseSid(prefix, prefix + sid.slice(2).toUpperCase())).toBe(id);
      }),
    );
  });

  it.each([
    '',
    'SM',
    'SM0123456789abcdef0123456789abcde',
    'SM0123456789abcdef0123456789abcdef0',
    'AC0123456789abcdef0123456789abcdef',
    'sm0123456789abcdef0123456789abcdef',
    'SM0123456789abcdef0123456789abcdeg',
    'SM0123456789abcdef0123456789abcde\n',
    'SM0123456789abcdef0123456789abcdé',
    ' SM0123456789abcdef0123456789abcdef',
    'SM01234567-89ab-cdef-0123-456789abcd',
  ])('refuses %j', (text) => {
    expect(parseSid('SM', text)).toBeNull();
  });

  it('sorts by time', () => {
    fc.assert(
      fc.property(anyTimeMs, anyTimeMs, (a, b) => {
        fc.pre(a < b);
        expect(sidOf('SM', newId(a)) < sidOf('SM', newId(b))).toBe(true);
      }),
    );
  });
});

describe('idFloor', () => {
  it('parts the ids before an instant from those at or after it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 48 - 1 }), (timeMs) => {
        const floor = idFloor(timeMs);
        expect(floor).toMatch(UUID_V7);
        expect(idTimeMs(floor)).toBe(timeMs);
        expect(newId(timeMs) >= floor).toBe(true);
        expect(newId(timeMs - 1) < floor).toBe(true);
      }),
    );
  });

  it('takes times that no id can carry', () => {
    expect(idFloor(-5)).toBe('00000000-0000-7000-8000-000000000000');
    expect(idFloor(Number.NEGATIVE_INFINITY)).toBe('00000000-0000-7000-8000-000000000000');
    expect(idFloor(2 ** 60)).toBe('ffffffff-ffff-7000-8000-000000000000');
    expect(idTimeMs(idFloor(1.2))).toBe(2);
    expect(() => idFloor(Number.NaN)).toThrow(RangeError);
  });
});
