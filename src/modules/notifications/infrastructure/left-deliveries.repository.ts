import { Injectable } from '@nestjs/common';
import { NotificationsDatabase } from './notifications.storage.js';

/** Deliveries that belong to processes which are known to be dead. */
@Injectable()
export class LeftDeliveriesRepository {
  constructor(private readonly db: NotificationsDatabase) {}

  /**
   * Makes due what somebody took up to `ownMs` ago for its first attempt. One that was attempted before cannot be told
   * from one that waits for its retry, and so comes at its time.
   *
   * @returns how many there were
   */
  async release(ownMs: number): Promise<number> {
    const { rowCount } = await this.db.control.query(
      `update notifications.delivery set next_attempt_at = clock_timestamp()
        where state = 'pending' and attempts = 0 and waits_for is null
          and next_attempt_at > clock_timestamp() and next_attempt_at <= clock_timestamp() + $1 * interval '1 ms'`,
      [ownMs],
    );
    return rowCount ?? 0;
  }
}
