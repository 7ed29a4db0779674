import { decodeCursor } from '../../../platform/http/page.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid, type SidPrefix } from '../../../shared/sid.js';

/**
 * The id at which a list of SIDs goes on; null for its first page.
 *
 * @throws Failure invalid_parameter that names the cursor
 */
export function cursorId(prefix: SidPrefix, cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = parseSid(prefix, String(decodeCursor(cursor, 1)[0]));
  if (!id) throw new Failure('invalid_parameter', { field: 'cursor', detail: 'the cursor is of another list' });
  return id;
}
