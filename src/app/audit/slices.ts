/** Instants in milliseconds: `fromMs` inclusive, `toMs` exclusive. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Slice extends TimeRange {
  /** How far the slice is cut into buckets: a divisor of both its ends. */
  readonly bucketMs: number;
}

const MINUTE_MS = 60_000;
const STEP = 4;
const LONGEST_MS = MINUTE_MS * STEP ** 8;
const BUCKETS = 60;
const SECOND_MS = 1000;
/** What one statement should read: below the first the next slice is longer, above the second shorter. */
const FEW = 10_000;
const MANY = 80_000;

/** A range of whole minutes around the given one. */
export function wholeMinutes({ fromMs, toMs }: TimeRange): TimeRange {
  return { fromMs: floor(fromMs, MINUTE_MS), toMs: floor(toMs + MINUTE_MS - 1, MINUTE_MS) };
}

/**
 * The slice that ends where another begins: as long as that one, or four times as long or a fourth, by how much that one
 * held. So no statement reads much, whether a range holds a thousand messages a second or one a week. All lengths are
 * minutes by powers of four, and all ends multiples of them, so that every module cuts
 * a slice into the same buckets.
 *
 * @param whole what is walked through, from its end to its beginning: whole minutes
 * @param previous the slice before, and how many messages it held; null for the first
 * @returns null when everything was walked through
 */
export function nextSlice(whole: TimeRange, previous: { slice: Slice; held: number } | null): Slice | null {
  const toMs = previous ? previous.slice.fromMs : whole.toMs;
  if (toMs <= whole.fromMs) return null;
  let lengthMs = previous ? lengthAfter(previous.slice.bucketMs * BUCKETS, previous.held) : MINUTE_MS;
  while (floor(toMs - 1, lengthMs) < whole.fromMs) lengthMs /= STEP;
  return { fromMs: floor(toMs - 1, lengthMs), toMs, bucketMs: lengthMs / BUCKETS };
}

/** A bucket cut up once more; null where it is as short as buckets may be. */
export function cutBucket(fromMs: number, bucketMs: number): Slice | null {
  if (bucketMs <= SECOND_MS) return null;
  return { fromMs, toMs: fromMs + bucketMs, bucketMs: Math.max(SECOND_MS, bucketMs / STEP ** 3) };
}

function lengthAfter(lengthMs: number, held: number): number {
  if (held > MANY) return Math.max(MINUTE_MS, lengthMs / STEP);
  return held < FEW ? Math.min(LONGEST_MS, lengthMs * STEP) : lengthMs;
}

function floor(ms: number, unitMs: number): number {
  return Math.floor(ms / unitMs) * unitMs;
}
