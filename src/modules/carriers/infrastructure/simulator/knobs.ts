import { z } from 'zod';

const MAX_LATENCY_MS = 60_000;
const MAX_RECEIPT_DELAY_MS = 24 * 60 * 60 * 1000;
const MAX_TPS = 100_000;

const rate = z.number().min(0).max(1);

/** How a simulated carrier misbehaves. */
export const knobsSchema = z.strictObject({
  /** `refuse`: nobody gets in; `reset`: any traffic cuts the connection; `blackhole`: what is read is never answered. */
  outage: z.enum(['none', 'refuse', 'reset', 'blackhole']),
  /** How long an accepted or refused submission waits for its answer. */
  latency_ms: z.int().min(0).max(MAX_LATENCY_MS),
  /** Share of submissions that are answered with a temporary error. */
  error_rate: rate,
  /** Submissions taken in any one second; the rest is told to slow down. 0: no limit. */
  throttle_tps: z.int().min(0).max(MAX_TPS),
  receipt_delay_ms: z.int().min(0).max(MAX_RECEIPT_DELAY_MS),
  /** Share of receipts that are never sent. */
  receipt_loss_rate: rate,
  /** Share of receipts that are sent twice. */
  receipt_duplicate_rate: rate,
  /** The receipt leaves first and the answer to the submission after it; receipt_delay_ms does not count then. */
  receipt_before_response: z.boolean(),
});

export type Knobs = z.infer<typeof knobsSchema>;

export const DEFAULT_KNOBS: Knobs = {
  outage: 'none',
  latency_ms: 0,
  error_rate: 0,
  throttle_tps: 0,
  receipt_delay_ms: 0,
  receipt_loss_rate: 0,
  receipt_duplicate_rate: 0,
  receipt_before_response: false,
};

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A setting of a simulated carrier that is unknown or out of its range. */
export class KnobError extends Error {
  constructor(readonly errors: readonly FieldError[]) {
    super(errors.map(({ field, message }) => `${field}: ${message}`).join('; '));
    this.name = 'KnobError';
  }
}

/** The knobs after a change of some of them. Throws KnobError, which names each field at fault. */
export function turnKnobs(current: Knobs, change: unknown): Knobs {
  const parsed = knobsSchema.partial().safeParse(change);
  if (!parsed.success) throw new KnobError(parsed.error.issues.flatMap(fieldErrors));
  return { ...current, ...parsed.data };
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((field) => ({ field, message: 'unknown knob' }));
  return [{ field: issue.path.join('.') || 'body', message: issue.message }];
}
