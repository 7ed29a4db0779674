import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import type { Submission } from '../contract/carriers.api.js';
import type { Outgoing } from '../domain/carrier-connection.js';
import type { RouteTable } from '../domain/route-table.js';
import type { Intended } from '../domain/submission.js';

/**
 * A submission as it goes through the carriers; its carrier is the first in line until one is chosen.
 *
 * @throws Failure `invalid_parameter` where its key or its account is no SID
 */
export function toOutgoing(item: Submission, intentId: string, routes: RouteTable): Outgoing {
  const key = idOf('SM', item.key, 'key');
  const candidates = routes.carriers(item.to, drawOf(key));
  // The queue's carrier first: it was chosen when the message was accepted.
  if (candidates.includes(item.queue)) candidates.sort((a, b) => Number(b === item.queue) - Number(a === item.queue));
  return {
    key,
    accountId: idOf('AC', item.accountSid, 'accountSid'),
    intentId,
    from: item.from,
    to: item.to,
    encoding: item.encoding,
    parts: item.parts,
    retryUnknown: item.unknownOutcome === 'retry',
    weight: item.weight,
    hops: item.hops,
    validUntilMs: Date.parse(item.validUntil),
    candidates,
    carrier: candidates[0] ?? '',
    attempts: 0,
    exhausted: new Set(),
    messageIds: item.parts.map(() => null),
  };
}

/** How many parts of it its carrier has not taken. */
export function unsentParts(outgoing: Outgoing): number {
  return outgoing.messageIds.reduce((sum, id) => sum + (id === null ? 1 : 0), 0);
}

/** What an intent keeps of a submission. */
export function intended(outgoing: Outgoing): Intended {
  return {
    key: outgoing.key,
    accountId: outgoing.accountId,
    carrier: outgoing.carrier,
    destination: outgoing.to,
    retryUnknown: outgoing.retryUnknown,
    segments: outgoing.parts.length,
  };
}

function idOf(prefix: 'SM' | 'AC', sid: string, field: string): string {
  const id = parseSid(prefix, sid);
  if (!id) throw new Failure('invalid_parameter', { field, detail: `'${field}' is not a SID of ${prefix}` });
  return id;
}

/** A draw from 0 to below 1 from the random end of the key: the same for the same message. */
function drawOf(key: string): number {
  return Number.parseInt(key.slice(-8), 16) / 2 ** 32;
}
