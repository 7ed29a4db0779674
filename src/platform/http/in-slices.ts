import { setImmediate as turn } from 'node:timers/promises';

/** What takes about a millisecond. */
const SLICE = 50;

/** Maps the rows of a long page so that other requests have their turn between its slices. */
export async function inSlices<T, R>(rows: readonly T[], present: (row: T) => R): Promise<R[]> {
  const presented: R[] = [];
  for (let from = 0; from < rows.length; from += SLICE) {
    if (from > 0) await turn();
    for (const row of rows.slice(from, from + SLICE)) presented.push(present(row));
  }
  return presented;
}
