import { LATEST_MS, parseSendAt, SOONEST_MS } from './schedule.js';

const NOW = Date.parse('2026-01-31T12:00:00.500Z');
const at = (aheadMs: number) => new Date(NOW + aheadMs).toISOString();

describe('the time of a scheduled message', () => {
  it.each([
    ['2026-01-31T13:00:00Z', '2026-01-31T13:00:00.000Z'],
    ['2026-01-31T13:00:00.999Z', '2026-01-31T13:00:00.000Z'],
    ['2026-01-31T14:00:00+01:00', '2026-01-31T13:00:00.000Z'],
    ['2026-01-31T08:30:00-0430', '2026-01-31T13:00:00.000Z'],
    ['2026-02-28T23:59:59Z', '2026-02-28T23:59:59.000Z'],
  ])('%s is %s', (text, instant) => {
    expect(parseSendAt(text, NOW)?.toISOString()).toBe(instant);
  });

  it('is more than 300 s and at most 35 days ahead', () => {
    expect(parseSendAt(at(SOONEST_MS), NOW)).toBeNull();
    expect(parseSendAt(at(SOONEST_MS + 1_500), NOW)).not.toBeNull();
    expect(parseSendAt(at(LATEST_MS), NOW)).not.toBeNull();
    expect(parseSendAt(at(LATEST_MS + 1_000), NOW)).toBeNull();
    expect(parseSendAt(at(-1_000), NOW)).toBeNull();
  });

  it.each([
    '',
    'tomorrow',
    '2026-01-31',
    '2026-01-31T13:00:00',
    '2026-01-31 13:00:00Z',
    '2026-02-30T13:00:00Z',
    '2026-02-00T13:00:00Z',
    '2026-13-01T13:00:00Z',
    '2026-01-31T25:00:00Z',
    '2026-01-31T13:00:60Z',
    '2026-01-31T13:00:00+99:00',
    '２026-01-31T13:00:00Z',
    '1769864400',
    'Sat, 31 Jan 2026 13:00:00 GMT',
  ])('is not %j', (text) => expect(parseSendAt(text, NOW)).toBeNull());
});
