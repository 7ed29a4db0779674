import type { EventLog } from '../../../src/platform/event-log/event-log.js';
import type { StoredEvent } from '../../../src/shared/define-event.js';

/** What both are given is made from it. */
export const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
export const STEPS = 150;
export const LONG_MS = 600_000;

/** Does the same with both and wants the same said; an error counts by its name. */
export async function same<T>(step: string, real: () => Promise<T>, twin: () => Promise<T>): Promise<T> {
  const outcome = (work: () => Promise<T>) =>
    work().then(
      (value) => ({ value }),
      (error: Error) => ({ error: error.name }),
    );
  const [one, other] = [await outcome(real), await outcome(twin)];
  expect({ seed: SEED, step, ...other }).toEqual({ seed: SEED, step, ...one });
  return (one as { value: T }).value;
}

/** What a log says, without its instants. */
export function told(events: readonly StoredEvent[]): unknown[] {
  return events.map(({ position, streamId, version, type, tenantId, data }) => {
    return { position, streamId, version, type, tenantId, data };
  });
}

export async function readAll(log: Pick<EventLog, 'read'>): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  // A page may end before the log does: only an empty one is the end.
  for (let page = await log.read(0); page.length > 0; page = await log.read(events.at(-1)!.position)) {
    events.push(...page);
  }
  return events;
}
