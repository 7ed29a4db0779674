import { sidOf } from '../../../../shared/sid.js';

/** The id of a message at a carrier that gives none of its own and reports by the key that it was given. */
export function idOfKey(key: string): string {
  return sidOf('SM', key);
}
