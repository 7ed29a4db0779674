import { z } from 'zod';
import { Failure } from '../../shared/failure.js';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;
const MAX_CURSOR_LENGTH = 2_048;
const MAX_PART_LENGTH = 512;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** One of the values that tell where in a list's order a page ends. */
export type CursorPart = string | number;

/** A list on the native API: what it holds, and where it goes on. */
export interface Page<T> {
  readonly data: T[];
  readonly next_cursor: string | null;
  readonly has_more: boolean;
}

/** An integer in a query, in decimal digits; anything else is refused, an empty text too. */
export function queryInteger(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, `must be an integer from ${minimum} to ${maximum}`)
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum));
}

/** Query of a native list: `limit` (1 to 1000, 50 where it is missing) and `cursor`. Extend it with filters. */
export const pageQuerySchema = z.object({
  limit: queryInteger(1, MAX_LIMIT).default(DEFAULT_LIMIT),
  cursor: z.string().max(MAX_CURSOR_LENGTH).optional(),
});

/** An opaque text for a place in a list's order. It is no secret and no proof: never put an account into one. */
export function encodeCursor(parts: readonly CursorPart[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * The parts of a cursor that encodeCursor made.
 *
 * @param arity how many parts it must have
 * @param field public name of the parameter that it came in, for the error
 * @throws Failure invalid_parameter unless it is exactly what encodeCursor would write for strings and finite numbers
 */
export function decodeCursor(text: string, arity: number, field = 'cursor'): CursorPart[] {
  const parts = text.length <= MAX_CURSOR_LENGTH && BASE64URL.test(text) ? parseParts(text) : null;
  if (parts?.length === arity && encodeCursor(parts) === text) return parts;
  throw new Failure('invalid_parameter', { field, detail: `'${field}' is not one that an earlier page gave` });
}

/**
 * A page from rows that were read with `limit + 1`: the one too many tells that there is more.
 *
 * @param position the parts of the cursor that stands for a row
 */
export function nativePage<R, T>(
  rows: readonly R[],
  limit: number,
  present: (row: R) => T,
  position: (row: R) => readonly CursorPart[],
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { data: shown.map(present), next_cursor: hasMore ? encodeCursor(position(last)) : null, has_more: hasMore };
}

function parseParts(text: string): CursorPart[] | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return Array.isArray(value) && value.every(isPart) ? value : null;
  } catch {
    return null;
  }
}

function isPart(part: unknown): part is CursorPart {
  if (typeof part === 'number') return Number.isFinite(part);
  return typeof part === 'string' && part.length <= MAX_PART_LENGTH && !part.includes('\0') && part.isWellFormed();
}
