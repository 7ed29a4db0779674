import type { Logger } from '../../../platform/tokens.js';
import { UNKNOWN_ERROR } from '../domain/error-codes.js';
import type { HeldLease } from '../infrastructure/binds-lease.repository.js';
import type { IntentsRepository } from '../infrastructure/intents.repository.js';
import type { OpenIntents } from './open-intents.js';
import type { OutcomeRecorder } from './outcome-recorder.js';

const PAGE = 50;
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Settles what earlier owners left open: nobody can tell any more whether the carrier has it, so each account's policy
 * decides. `retry` gives it back, `fail` answers that its outcome is unknown.
 */
export async function settleLeftIntents(
  lease: HeldLease,
  intents: IntentsRepository,
  open: OpenIntents,
  recorder: OutcomeRecorder,
  logger: Logger,
): Promise<void> {
  let submissions = 0;
  for (let after = FIRST, isLast = false; !isLast; ) {
    const left = await intents.left(lease, after, PAGE);
    const empty = left.filter(({ items }) => items.length === 0);
    await intents.close(
      lease,
      empty.map(({ id }) => id),
    );
    for (const { id, items } of left) {
      submissions += items.length;
      if (items.length > 0) open.add(id, items);
      for (const item of items) {
        if (item.retryUnknown) recorder.returned(id, item, 'the worker that had it is gone');
        else recorder.answered(id, { ...item, outcome: 'unknown', errorCode: UNKNOWN_ERROR, messageIds: [] });
      }
    }
    await recorder.drain();
    after = left.at(-1)?.id ?? after;
    isLast = left.length < PAGE;
  }
  if (submissions > 0) logger.warn({ submissions }, 'submissions of an earlier worker have an unknown outcome');
}
