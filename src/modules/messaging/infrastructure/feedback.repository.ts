import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { FeedbackOutcome } from '../domain/feedback.js';

/** What customers say became of their messages: columns of the message, which nothing else reads. */
@Injectable()
export class FeedbackRepository {
  /** Writes it on a message that this transaction has locked; returns when it was first and last given. */
  async write(
    tx: Queryable,
    { accountId, id }: { accountId: string; id: string },
    outcome: FeedbackOutcome,
  ): Promise<{ createdAt: Date; updatedAt: Date }> {
    const { rows } = await tx.query<{ createdAt: Date; updatedAt: Date }>(
      `update messaging.message set feedback = $3, feedback_updated_at = statement_timestamp(),
          feedback_created_at = coalesce(feedback_created_at, statement_timestamp())
        where account_id = $1 and id = $2
        returning feedback_created_at as "createdAt", feedback_updated_at as "updatedAt"`,
      [accountId, id, outcome],
    );
    return rows[0]!;
  }
}
