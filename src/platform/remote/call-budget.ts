import { AsyncLocalStorage } from 'node:async_hooks';

interface CallContext {
  /** By performance.now(). */
  readonly deadlineMs: number;
  readonly traceparents: readonly string[];
}

const NONE: readonly string[] = [];
const contexts = new AsyncLocalStorage<CallContext>();

/**
 * Runs work whose calls to other modules have `budgetMs` in all. Where a call crosses a network, what is left of the
 * budget travels with it. A budget within another one never makes it longer.
 *
 * @param traceparents of the sampled requests that the work is for: where a call crosses a network, they travel with it
 */
export function withBudget<T>(budgetMs: number, work: () => T, traceparents: readonly string[] = NONE): T {
  return contexts.run({ deadlineMs: performance.now() + Math.min(budgetMs, leftMs()), traceparents }, work);
}

/** Runs work for sampled requests whose calls have the budget that is left; see withBudget. */
export function withTraces<T>(traceparents: readonly string[], work: () => T): T {
  return traceparents.length === 0 ? work() : withBudget(Number.POSITIVE_INFINITY, work, traceparents);
}

/** What is left of the budget of the work under way, in milliseconds; infinite where it has none. */
export function leftMs(): number {
  const context = contexts.getStore();
  return context === undefined ? Number.POSITIVE_INFINITY : context.deadlineMs - performance.now();
}

/** The traceparents of the sampled requests that the work under way is for. */
export function tracesUnderWay(): readonly string[] {
  return contexts.getStore()?.traceparents ?? NONE;
}
