import { dayOf, dayText, parseDay, periodAt, periodOf, periodsIn, spanOf, startOfPeriod, unitOf } from './usage.js';

const day = (text: string) => dayOf(Date.parse(`${text}T00:00:00Z`));
const TODAY = day('2026-03-01');
const OPENED = day('2025-11-15');

describe('a day', () => {
  it.each([
    ['2026-02-28', '2026-02-28'],
    ['-1day', '2026-02-28'],
    ['-30days', '2026-01-30'],
    ['+2days', '2026-03-03'],
    [' 2days', '2026-03-03'],
    ['0001-01-01', '1970-01-01'],
    ['-99999days', '1970-01-01'],
  ])('%j is %s', (text, expected) => expect(dayText(parseDay(text, TODAY)!)).toBe(expected));

  it.each(['', '2026-02-30', '2026-2-1', '2026-02-28T00:00:00Z', 'today', '-days', '- 3days', '-123456days', '+1day '])(
    '%j is none',
    (text) => expect(parseDay(text, TODAY)).toBeNull(),
  );
});

describe('a list of usage', () => {
  const lines = (view: Parameters<typeof unitOf>[0], asked: { from?: number; to?: number } = {}) => {
    const [unit, span] = [unitOf(view), spanOf(view, asked, TODAY, OPENED)];
    return Array.from({ length: periodsIn(unit, span) }, (_, index) => {
      const { from, to } = periodAt(unit, span, index);
      expect(periodOf(unit, span, from)).toBe(index);
      return `${dayText(from)} ${dayText(to)}`;
    });
  };

  it.each([
    ['', ['2025-11-15 2026-03-01']],
    ['AllTime', ['2025-11-15 2026-03-01']],
    ['Today', ['2026-03-01 2026-03-01']],
    ['Yesterday', ['2026-02-28 2026-02-28']],
    ['ThisMonth', ['2026-03-01 2026-03-01']],
    ['LastMonth', ['2026-02-01 2026-02-28']],
    ['Yearly', ['2026-01-01 2026-03-01', '2025-11-15 2025-12-31']],
    [
      'Monthly',
      [
        '2026-03-01 2026-03-01',
        '2026-02-01 2026-02-28',
        '2026-01-01 2026-01-31',
        '2025-12-01 2025-12-31',
        '2025-11-15 2025-11-30',
      ],
    ],
  ] as const)('%s covers its own days', (view, expected) => expect(lines(view)).toEqual(expected));

  it('has a line for every day, the newest first', () => {
    const daily = lines('Daily');
    expect([daily.length, daily[0], daily.at(-1)]).toEqual([107, '2026-03-01 2026-03-01', '2025-11-15 2025-11-15']);
  });

  it('is narrowed to what was asked, and has no line where nothing is left', () => {
    expect(lines('', { from: day('2025-01-01'), to: day('2030-01-01') })).toEqual(['2025-01-01 2026-03-01']);
    expect(lines('Monthly', { from: day('2026-01-20'), to: day('2026-02-03') })).toEqual([
      '2026-02-01 2026-02-03',
      '2026-01-20 2026-01-31',
    ]);
    expect(lines('LastMonth', { from: day('2026-02-27') })).toEqual(['2026-02-27 2026-02-28']);
    expect(lines('Today', { to: day('2026-02-28') })).toEqual([]);
    expect(lines('Daily', { from: day('2026-03-02') })).toEqual([]);
  });

  it('knows where whole periods begin', () => {
    const starts = (['day', 'month', 'year'] as const).map((unit) => dayText(startOfPeriod(unit, day('2026-02-17'))));
    expect(starts).toEqual(['2026-02-17', '2026-02-01', '2026-01-01']);
  });
});
