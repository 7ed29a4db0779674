import type { NewEvent } from '../../../shared/define-event.js';
import { newId } from '../../../shared/sid.js';
import { deliveryDead } from '../contract/notifications.events.js';
import { codeOf } from '../domain/ask-errors.js';
import { type AttemptResult, type Delivery, errorOf, verdictOf } from '../domain/delivery.js';
import { askedUrl, type NextAsk, nextAsk } from '../domain/inbound-ask.js';
import type { RetrySchedule } from '../domain/retry-schedule.js';
import type { Outcome } from '../infrastructure/deliveries.repository.js';

/** After which time something that failed on this side is tried again. */
const UNSENT_WAIT_MS = 5_000;

/** What an attempt makes of its delivery: over, to be tried again, or to go on at another endpoint at once. */
export function outcomeOf(
  delivery: Delivery,
  result: AttemptResult,
  schedule: RetrySchedule,
  isStopping: boolean,
): Outcome {
  const verdict = verdictOf(result);
  if (verdict === 'unsent' && isStopping) return waiting(delivery, 0);
  if (verdict === 'unsent') {
    const waitMs = UNSENT_WAIT_MS * (1 + Math.random());
    return { ...waiting(delivery, waitMs), error: errorOf(result), isReminded: true };
  }
  const next = nextOf(delivery, result);
  const target = next && { url: askedUrl(next.ask).url, callback: next.ask };
  if (next && !next.isRoundOver) return { ...waiting(delivery, 0), ...errorFields(result), target };
  const attempts = delivery.attempts + 1;
  const retryAfterMs = result.kind === 'response' ? result.retryAfterMs : null;
  const isRetried = next ? !next.isPermanent : verdict === 'retry';
  const waitMs = isRetried ? schedule.waitMs(attempts, Math.random(), retryAfterMs) : null;
  const state = verdict === 'delivered' ? 'delivered' : waitMs === null ? 'dead' : 'pending';
  return {
    ...waiting(delivery, waitMs ?? 0),
    ...errorFields(result),
    state,
    attempts,
    isReminded: state === 'pending',
    target,
    death: state === 'dead' ? deathOf(delivery, errorOf(result) ?? '') : null,
  };
}

/** A delivery that is tried later, as if nothing had been tried now. */
export function waiting(delivery: Delivery, nextAttemptMs: number): Outcome {
  const { accountId, messageId, version, attempts } = delivery;
  const rest = { waitsFor: null, status: null, error: null, isReminded: false, target: null, death: null };
  return { accountId, messageId, version, attempts, state: 'pending', nextAttemptMs, ...rest };
}

/** What an attempt is counted as, where its delivery is not dead: one that can never succeed may go on elsewhere. */
export function countedAs(result: AttemptResult): Exclude<ReturnType<typeof verdictOf>, 'dead'> {
  const verdict = verdictOf(result);
  return verdict === 'dead' ? 'retry' : verdict;
}

/** What a failed attempt leads to, where the delivery asks about an incoming message; else null. */
function nextOf({ callback }: Delivery, result: AttemptResult): NextAsk | null {
  const verdict = verdictOf(result);
  if (callback.kind !== 'inbound' || verdict === 'delivered' || verdict === 'unsent') return null;
  return nextAsk(callback, { code: codeOf(result), isPermanent: verdict === 'dead' });
}

function errorFields(result: AttemptResult): Pick<Outcome, 'status' | 'error'> {
  return { status: result.kind === 'response' ? result.status : null, error: errorOf(result) };
}

function deathOf(delivery: Delivery, reason: string): NewEvent {
  const { messageSid, accountSid } = delivery.callback;
  // A stream of its own: a delivery that was replayed may die again.
  return {
    type: deliveryDead.type,
    streamId: newId(),
    version: 1,
    tenantId: delivery.accountId,
    traceparent: delivery.traceparent,
    data: { deliveryId: `${messageSid}-${delivery.version}`, accountSid, messageSid, reason },
  };
}
