import { StandardSchemaValidationPipe } from '@nestjs/common';
import { FAILURES, Failure, type FailureName } from '../../shared/failure.js';
import { shownName } from './text-check.js';

/** Parameters at fault that one answer names. */
const MAX_ERRORS = 20;
const MAX_MESSAGE_LENGTH = 300;

/** What is read of an issue: the standard's part, and what zod adds to it. */
export interface ValidationIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly keys?: unknown;
  readonly params?: unknown;
}

/**
 * Turns what a schema refused into one failure that names every parameter at fault, the first one first. A refinement
 * may choose another failure than invalid_parameter: `refine(check, { params: { failure: 'invalid_to' } })`.
 */
export function validationFailure(issues: readonly ValidationIssue[]): Failure {
  const errors = issues.slice(0, MAX_ERRORS).flatMap(toErrors).slice(0, MAX_ERRORS);
  const first = errors[0] ?? { field: 'body', message: 'is not valid' };
  const failure = chosenFailure(issues[0]);
  const detail = failure === 'invalid_parameter' ? `'${first.field}': ${first.message}` : undefined;
  return new Failure(failure, { field: first.field, errors, ...(detail ? { detail } : {}) });
}

/** Validates what controllers declare with `{ schema }`. */
export class ValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: validationFailure });
  }

  /** The parsers of form and JSON bodies see to such names already. */
  protected override stripProtoKeys(): void {}
}

function toErrors(issue: ValidationIssue): { field: string; message: string }[] {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  if (Array.isArray(issue.keys) && issue.keys.length > 0) {
    return issue.keys
      .slice(0, MAX_ERRORS)
      .map((key) => ({ field: fieldOf([...path, String(key)]), message: 'is not known here' }));
  }
  return [{ field: fieldOf(path), message: messageOf(issue.message) }];
}

function fieldOf(path: readonly string[]): string {
  return shownName(path.join('.')) || 'body';
}

function messageOf(message: string): string {
  if (message.endsWith('received undefined')) return 'is required';
  if (message === 'Invalid input: expected string, received array') return 'must be one text, given once';
  return message.slice(0, MAX_MESSAGE_LENGTH);
}

function chosenFailure(issue: ValidationIssue | undefined): FailureName {
  const params = issue?.params;
  const chosen = typeof params === 'object' && params !== null ? (params as { failure?: unknown }).failure : undefined;
  return typeof chosen === 'string' && Object.hasOwn(FAILURES, chosen) ? (chosen as FailureName) : 'invalid_parameter';
}
