import { decodeCursor } from '../../../platform/http/page.js';
import { Failure } from '../../../shared/failure.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text is an id, in the form that the database gives it. */
export function isId(text: string): boolean {
  return UUID.test(text);
}

/** The text at which a list goes on; null for its first page. @throws Failure invalid_parameter */
export function textCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const [part] = decodeCursor(cursor, 1);
  if (typeof part !== 'string') throw foreign();
  return part;
}

/** The id at which a list goes on; null for its first page. @throws Failure invalid_parameter */
export function idCursor(cursor: string | undefined): string | null {
  const id = textCursor(cursor);
  if (id !== null && !isId(id)) throw foreign();
  return id;
}

/** The number after which a list goes on; 0 for its first page. @throws Failure invalid_parameter */
export function numberCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const [part] = decodeCursor(cursor, 1);
  if (typeof part !== 'number' || !Number.isSafeInteger(part) || part < 0) throw foreign();
  return part;
}

function foreign(): Failure {
  return new Failure('invalid_parameter', { field: 'cursor', detail: 'the cursor is of another list' });
}
