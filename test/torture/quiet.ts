import { eventually } from '../support/eventually.js';
import type { Stage } from './stage.js';

const EVERY_MS = 1_000;
/** A callback whose next attempt is later than this has failed at its endpoint, and waits for its retry. */
const SOON = "interval '20 s'";

/** What is still under way. */
export interface UnderWay {
  readonly messages: number;
  readonly reservations: number;
  /** Callbacks that are due, or soon. */
  readonly callbacks: number;
  /** Callbacks that wait for a retry. */
  readonly retries: number;
  /** Events that consumers have not seen, and those that they gave up. */
  readonly events: number;
  readonly parked: number;
}

interface Counted {
  messages: string;
  reservations: string;
  callbacks: string;
  retries: string;
  parked: string;
}

export async function underWay(stage: Stage): Promise<UnderWay> {
  const [counted] = await stage.database.read<Counted & Record<string, string>>(
    `select (select count(*) from messaging.message where status in ('queued', 'accepted', 'sent')) as messages,
      (select count(*) from billing.entry e where phase = 0 and kind = 'pending'
        and not exists (select from billing.entry r where r.key = e.key and r.phase = 1)) as reservations,
      (select count(*) from notifications.delivery d where state = 'pending' and not (${isRetry('d')})) as callbacks,
      (select count(*) from notifications.delivery d where state = 'pending' and ${isRetry('d')}) as retries,
      (select count(*) from carriers.parked_event) + (select count(*) from messaging.parked_event)
        + (select count(*) from billing.parked_event) + (select count(*) from notifications.parked_event) as parked`,
  );
  const { data } = await stage.operator<{ data: { lag: number }[] }>('GET', 'consumers');
  return {
    messages: Number(counted!.messages),
    reservations: Number(counted!.reservations),
    callbacks: Number(counted!.callbacks),
    retries: Number(counted!.retries),
    events: data.reduce((sum, consumer) => sum + consumer.lag, 0),
    parked: Number(counted!.parked),
  };
}

/** It waits for a retry, or behind one of the same message. */
function isRetry(delivery: string): string {
  return `exists (select from notifications.delivery first where first.account_id = ${delivery}.account_id
    and first.message_id = ${delivery}.message_id and first.version <= ${delivery}.version
    and first.state = 'pending' and first.attempts > 0 and first.next_attempt_at > clock_timestamp() + ${SOON})`;
}

/**
 * Waits until nothing is under way but callbacks that wait for a retry, or nothing at all.
 *
 * @returns what was left at the deadline; null when it is quiet
 */
export async function untilQuiet(stage: Stage, timeoutMs: number, withRetries: boolean): Promise<UnderWay | null> {
  let last: UnderWay | null = null;
  const isQuiet = async () => {
    last = await underWay(stage);
    const { messages, reservations, callbacks, retries, events } = last;
    return messages + reservations + callbacks + events + (withRetries ? retries : 0) === 0;
  };
  return eventually(isQuiet, { timeoutMs, everyMs: EVERY_MS }).then(
    () => null,
    (error: Error) => {
      if (last) return last;
      throw error;
    },
  );
}
