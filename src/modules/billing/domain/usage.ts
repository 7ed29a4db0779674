/** What a line of usage covers: a whole span, or each day, month or year of it. */
export type UsageUnit = 'total' | 'day' | 'month' | 'year';

/** Days of UTC, counted from 1970-01-01; both ends belong to it. Empty where it ends before it begins. */
export interface DaySpan {
  readonly from: number;
  readonly to: number;
}

/** The parts of a day's address, for Twilio's lists of usage: `/Usage/Records/Daily.json`; the list without one. */
export const USAGE_VIEWS = [
  '',
  'AllTime',
  'Daily',
  'LastMonth',
  'Monthly',
  'ThisMonth',
  'Today',
  'Yearly',
  'Yesterday',
] as const;
export type UsageView = (typeof USAGE_VIEWS)[number];

const DAY_MS = 24 * 3600 * 1000;
const UNITS: Readonly<Partial<Record<UsageView, UsageUnit>>> = { Daily: 'day', Monthly: 'month', Yearly: 'year' };
const MAX_DAY = Math.floor(Date.UTC(9999, 11, 31) / DAY_MS);
const OFFSET = /^([+\s-])(\d{1,5})days?$/;

/** The day that an instant, in milliseconds since 1970, lies in. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** A day as `YYYY-MM-DD`. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/**
 * Reads a date (`YYYY-MM-DD`), or an offset from today (`-30days`; the plus sign may have become a space on its way).
 * Null for anything else; days of before 1970 are taken for the first one.
 */
export function parseDay(text: string, today: number): number | null {
  const offset = OFFSET.exec(text);
  if (offset) return bounded(today + (offset[1] === '-' ? -1 : 1) * Number(offset[2]));
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const ms = Date.parse(`${text}T00:00:00Z`);
  // A date that is none, such as the 30th of February, is moved to another one.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? null : bounded(dayOf(ms));
}

export function unitOf(view: UsageView): UsageUnit {
  return UNITS[view] ?? 'total';
}

/**
 * The days that a list covers: those of its own, narrowed to what was asked; never days that have not begun.
 *
 * @param opened the account's first day, where a list begins that was not told another
 */
export function spanOf(
  view: UsageView,
  asked: { readonly from?: number | undefined; readonly to?: number | undefined },
  today: number,
  opened: number,
): DaySpan {
  const own = ownSpan(view, today);
  const from = own ? Math.max(own.from, asked.from ?? own.from) : (asked.from ?? opened);
  return { from, to: Math.min(own?.to ?? today, asked.to ?? today) };
}

/** Null: from the account's beginning until today. */
function ownSpan(view: UsageView, today: number): DaySpan | null {
  const month = monthOf(today);
  if (view === 'Today') return { from: today, to: today };
  if (view === 'Yesterday') return { from: today - 1, to: today - 1 };
  if (view === 'ThisMonth') return { from: firstDayOf(month), to: today };
  if (view === 'LastMonth') return { from: firstDayOf(month - 1), to: firstDayOf(month) - 1 };
  return null;
}

/** How many periods a span has, those that it covers in part included. */
export function periodsIn(unit: UsageUnit, span: DaySpan): number {
  if (span.to < span.from) return 0;
  return ordinal(unit, span.to) - ordinal(unit, span.from) + 1;
}

/** One period of a span, the newest being number 0, cut to the span. */
export function periodAt(unit: UsageUnit, span: DaySpan, index: number): DaySpan {
  if (unit === 'total') return span;
  const number = ordinal(unit, span.to) - index;
  return {
    from: Math.max(span.from, firstDay(unit, number)),
    to: Math.min(span.to, firstDay(unit, number + 1) - 1),
  };
}

/** The number, as for periodAt, of the period that a day lies in. */
export function periodOf(unit: UsageUnit, span: DaySpan, day: number): number {
  return ordinal(unit, span.to) - ordinal(unit, day);
}

/** The first day of the whole period that a day lies in: what PostgreSQL's date_trunc gives. */
export function startOfPeriod(unit: Exclude<UsageUnit, 'total'>, day: number): number {
  return firstDay(unit, ordinal(unit, day));
}

function ordinal(unit: UsageUnit, day: number): number {
  if (unit === 'total') return 0;
  if (unit === 'day') return day;
  return unit === 'month' ? monthOf(day) : Math.floor(monthOf(day) / 12);
}

function firstDay(unit: Exclude<UsageUnit, 'total'>, number: number): number {
  if (unit === 'day') return number;
  return firstDayOf(unit === 'month' ? number : number * 12);
}

/** Months since the year 0. */
function monthOf(day: number): number {
  const date = new Date(day * DAY_MS);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function firstDayOf(month: number): number {
  return dayOf(Date.UTC(Math.floor(month / 12), month % 12, 1));
}

function bounded(day: number): number {
  return Math.min(Math.max(day, 0), MAX_DAY);
}
