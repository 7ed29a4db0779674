import { Failure } from '../../../shared/failure.js';
import type { Principal } from '../../../shared/principal.js';
import { parseSid, type SidPrefix } from '../../../shared/sid.js';

/** The id of the account that a request acts as. */
export function accountId(principal: Principal): string {
  return parseSid('AC', principal.accountSid)!;
}

/** The id in a SID of the path. @throws Failure not_found: nothing has a SID like that */
export function idOf(prefix: SidPrefix, sid: string): string {
  const id = parseSid(prefix, sid);
  if (!id) throw new Failure('not_found');
  return id;
}
