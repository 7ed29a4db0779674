import { AsyncLocalStorage } from 'node:async_hooks';

const deadlines = new AsyncLocalStorage<number>();

/**
 * Runs work whose calls to other modules have `budgetMs` in all. Where a call crosses a network, what is left of the
 * budget travels with it. A budget within another one never makes it longer.
 */
export function withBudget<T>(budgetMs: number, work: () => T): T {
  return deadlines.run(performance.now() + Math.min(budgetMs, leftMs()), work);
}

/** What is left of the budget of the work under way, in milliseconds; infinite where it has none. */
export function leftMs(): number {
  const deadline = deadlines.getStore();
  return deadline === undefined ? Number.POSITIVE_INFINITY : deadline - performance.now();
}
