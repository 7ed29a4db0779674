import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import type { DeliveryKey } from '../domain/delivery.js';

const GROUP = { maxBatch: 250, maxInFlight: 1, maxQueued: 10_000, gatherMs: 10 };

/** Looks, many at a time, for what waits in the table behind deliveries that are over. */
export class FollowingDeliveries {
  private readonly group: GroupCommit<DeliveryKey, null>;

  /** @param look looks for the deliveries after the given ones, each of another message */
  constructor(look: (over: readonly DeliveryKey[]) => Promise<void>) {
    this.group = new GroupCommit(async (over) => {
      await look([...new Map(over.map((key) => [key.messageId, key])).values()]);
      return over.map(() => null);
    }, GROUP);
  }

  /** What is not found this way, because too many wait or the database is gone, is found when it is due. */
  lookFor(over: DeliveryKey): void {
    this.group.submit(over).catch(() => undefined);
  }

  /** Waits for the looks under way. */
  stop(): Promise<void> {
    return this.group.drain();
  }
}
