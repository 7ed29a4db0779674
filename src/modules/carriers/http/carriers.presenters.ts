import { smppOptionsOf } from '../domain/carrier.js';
import type { ShownInbound } from '../domain/inbound.js';
import type { ShownCarrier } from '../domain/link-status.js';
import type { StoredRoute } from '../domain/route-table.js';
import type { OrphanReceipt } from '../domain/submission.js';
import { presentSmpp } from './smpp-carrier.schemas.js';

/** A carrier as operators see it: its definition without the password, and how it fares. */
export function presentCarrier(carrier: ShownCarrier) {
  return {
    name: carrier.name,
    type: carrier.type,
    ...(carrier.http ?? presentSession(carrier)),
    window: carrier.windowSize,
    tps: carrier.tps,
    state: carrier.state,
    version: carrier.version,
    created_at: carrier.createdAt.toISOString(),
    updated_at: carrier.updatedAt.toISOString(),
    ...presentStatus(carrier),
    orphan_receipts: carrier.orphanReceipts,
  };
}

function presentSession({ host, port, systemId, bind, smpp }: ShownCarrier) {
  return { host, port, system_id: systemId, bind, ...presentSmpp(smppOptionsOf({ smpp })) };
}

/** A route. */
export function presentRoute(route: StoredRoute) {
  return {
    id: route.id,
    prefix: route.prefix,
    carrier: route.carrier,
    priority: route.priority,
    weight: route.weight,
    created_at: route.createdAt.toISOString(),
  };
}

/** A receipt that matches no submission. */
export function presentOrphan(orphan: OrphanReceipt) {
  return {
    id: orphan.id,
    message_id: orphan.messageId,
    source: orphan.source,
    state: orphan.state,
    error_code: orphan.errorCode,
    done_date: orphan.doneDate,
    received_at: new Date(orphan.receivedAtMs).toISOString(),
  };
}

/** A message from a phone. */
export function presentInbound(message: ShownInbound) {
  return {
    id: message.id,
    from: message.from,
    to: message.to,
    text: message.text,
    encoding: message.encoding,
    segments: message.segments,
    missing_segments: message.missing,
    received_at: message.receivedAt.toISOString(),
  };
}

/** `stale` where no worker owns the binds, or the one that does has not looked at this carrier yet. */
function presentStatus(carrier: ShownCarrier) {
  const { status, statusAt, isStatusCurrent } = carrier;
  const seen = { stale: !isStatusCurrent, status_at: statusAt?.toISOString() ?? null };
  if (status === null || !('phase' in status)) {
    const error = status?.error ?? 'no worker has looked at it yet';
    return { ...seen, session: { phase: 'down', error }, breaker: null, bulkhead: null, pace: null, quality: null };
  }
  return {
    ...seen,
    session: { phase: status.phase, error: status.error, bound: status.bound, binds: status.binds },
    breaker: { state: status.breaker, open_ms: status.breakerOpenMs },
    bulkhead: {
      queued: status.queued,
      in_flight: status.inFlight,
      window: carrier.windowSize * smppOptionsOf(carrier).binds,
    },
    pace: { tps: carrier.tps, share: status.paceShare },
    quality: {
      recent_calls: status.recent.calls,
      recent_failures: status.recent.failed,
      response_ms: status.responseMs,
      ...status.counters,
    },
  };
}
