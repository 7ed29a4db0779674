import { z } from 'zod';
import { FAILURES, Failure, type FailureName, isFailure } from '../../shared/failure.js';
import { isPassing } from '../event-log/effect.js';
import { TimeLimitError } from '../telemetry/within.js';

/** The schemas of every call of a contract, as each `*.api.ts` declares them. */
export type ContractSchemas<Api> = { readonly [Call in keyof Api]: { input: z.ZodType; output: z.ZodType } };

/** The largest argument or result: a thousand items or a page of a thousand events are far below it. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** How long the caller still waits, in milliseconds; relative, as clocks of two machines differ. */
export const BUDGET_HEADER = 'x-budget-ms';
/**
 * The traces that a call works for, as their traceparents, separated by commas: a call carries work of many requests at
 * once, which the standard header has no room for.
 */
export const TRACES_HEADER = 'x-traceparents';
export const MAX_TRACES = 16;

export const requestBody = z.object({ argument: z.unknown().optional() });
export const resultBody = z.object({ result: z.unknown().optional() });

const failureOptions = z.object({
  field: z.string().optional(),
  detail: z.string().optional(),
  retryAfterSeconds: z.number().optional(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});
const failureBody = z.object({
  failure: z.enum(Object.keys(FAILURES) as [FailureName, ...FailureName[]]),
  options: failureOptions,
});

/** An error as it crosses. What is passing becomes `unavailable`; a bug, null here, stays where it happened. */
export function encodeError(error: unknown): { status: number; body: object } | null {
  if (isFailure(error)) return { status: 422, body: { failure: error.failure, options: error.options } };
  if (!isPassing(error) && !(error instanceof TimeLimitError)) return null;
  return { status: 503, body: { failure: 'unavailable', options: { retryAfterSeconds: 1 } } };
}

/** The failure that came with an answer, or null where it tells of none. */
export function decodeFailure(body: unknown): Failure | null {
  const { success, data } = failureBody.safeParse(body);
  if (!success) return null;
  const { field, detail, retryAfterSeconds, errors } = data.options;
  return new Failure(data.failure, {
    ...(field === undefined ? {} : { field }),
    ...(detail === undefined ? {} : { detail }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(errors === undefined ? {} : { errors }),
  });
}
