import { FAILURES, type FailureName } from '../../../shared/failure.js';
import { DOCUMENTED_FAILURES, INTERNAL_ERROR } from '../error-status.js';

/** One way to fail, as the documentation tells it. Several may share a code. */
export interface DocumentedError {
  readonly code: number;
  readonly status: number;
  readonly message: string;
  readonly cause: string;
  readonly remedy: string;
}

/** Every error that the API answers with, by code. */
export function documentedErrors(): DocumentedError[] {
  const failures = (Object.keys(FAILURES) as FailureName[]).map((name) => ({
    ...FAILURES[name],
    ...DOCUMENTED_FAILURES[name],
  }));
  return [...failures, INTERNAL_ERROR].sort((a, b) => a.code - b.code);
}
