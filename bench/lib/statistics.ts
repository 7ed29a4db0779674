/** Several measurements of one thing, as they are reported. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly values: readonly number[];
}

/** The middle one, or the mean of the two in the middle; throws RangeError on an empty list. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Throws RangeError on an empty list. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), values };
}

/** Round by round, since a figure and its baseline share the machine's mood only within one round. */
export function ratiosOf(figures: readonly number[], baselines: readonly number[]): number[] {
  if (figures.length !== baselines.length) throw new RangeError('each figure needs the baseline of its round');
  return figures.map((figure, index) => figure / baselines[index]!);
}

/** The value that a share of the values does not exceed (nearest rank); throws RangeError on an empty list. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('a quantile of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}
