import { decodeCursor } from '../../../platform/http/page.js';
import { Failure } from '../../../shared/failure.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The id at which a list goes on; null for its first page.
 *
 * @throws Failure invalid_parameter that names the cursor
 */
export function cursorId(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = String(decodeCursor(cursor, 1)[0]);
  if (!UUID.test(id))
    throw new Failure('invalid_parameter', { field: 'cursor', detail: 'the cursor is of another list' });
  return id;
}
