import { Injectable } from '@nestjs/common';
import { MessagingDatabase } from './messaging.storage.js';

/** How long a key is remembered: 24 hours. */
const REMEMBERED = "interval '24 hours'";

export type Claim =
  /** The caller runs the request, under this message id. */
  | { readonly kind: 'mine' }
  /** It was answered: with this message. */
  | { readonly kind: 'answered'; readonly messageId: string }
  | { readonly kind: 'running' }
  | { readonly kind: 'mismatch' }
  /** Whoever ran it is gone and left it open: what became of this message id must be settled first. */
  | { readonly kind: 'stale'; readonly messageId: string };

interface KeyRow {
  message_id: string;
  done: boolean;
  same: boolean;
  locked: boolean;
}

/** The rows of Idempotency-Key: which message a key made or is making. Clocks are the database's. */
@Injectable()
export class IdempotencyRepository {
  constructor(private readonly db: MessagingDatabase) {}

  /** Takes a key that nobody used in the last 24 hours, or says how it stands. */
  async claim(accountId: string, key: string, hash: Buffer, messageId: string, lockMs: number): Promise<Claim> {
    const { rowCount } = await this.db.query({
      name: 'messaging-claim-key',
      text: `insert into messaging.idempotency_key as k (account_id, key, request_hash, message_id, locked_until)
        values ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 ms')
        on conflict (account_id, key) do update set request_hash = excluded.request_hash, done = false,
          message_id = excluded.message_id, locked_until = excluded.locked_until, created_at = excluded.created_at
        where k.created_at < clock_timestamp() - ${REMEMBERED} and (k.done or k.locked_until < clock_timestamp())`,
      values: [accountId, key, hash, messageId, lockMs],
    });
    if (rowCount === 1) return { kind: 'mine' };
    return (await this.read(accountId, key, hash)) ?? { kind: 'running' };
  }

  /** How a key stands; null when nobody used it in the last 24 hours. */
  async read(accountId: string, key: string, hash: Buffer): Promise<Claim | null> {
    const { rows } = await this.db.query<KeyRow>({
      name: 'messaging-read-key',
      text: `select message_id, done, request_hash = $3 as same, locked_until > clock_timestamp() as locked
        from messaging.idempotency_key
        where account_id = $1 and key = $2 and created_at >= clock_timestamp() - ${REMEMBERED}`,
      values: [accountId, key, hash],
    });
    const row = rows[0];
    if (!row) return null;
    if (!row.same) return { kind: 'mismatch' };
    if (row.done) return { kind: 'answered', messageId: row.message_id };
    return row.locked ? { kind: 'running' } : { kind: 'stale', messageId: row.message_id };
  }

  /** Takes over a stale key for a new message id; false when somebody else was quicker. */
  async takeOver(accountId: string, key: string, stale: string, messageId: string, lockMs: number): Promise<boolean> {
    const { rowCount } = await this.db.query(
      `update messaging.idempotency_key set message_id = $4, locked_until = clock_timestamp() + $5 * interval '1 ms'
        where account_id = $1 and key = $2 and message_id = $3 and not done and locked_until <= clock_timestamp()`,
      [accountId, key, stale, messageId, lockMs],
    );
    return rowCount === 1;
  }

  /** Records that a key's message exists, where its append could not say so itself. */
  async complete(accountId: string, key: string, messageId: string): Promise<void> {
    await this.db.query(
      `update messaging.idempotency_key set done = true where account_id = $1 and key = $2 and message_id = $3`,
      [accountId, key, messageId],
    );
  }

  /** Forgets a key whose request was refused, so that a corrected or later one may use it. */
  async release(accountId: string, key: string, messageId: string): Promise<void> {
    await this.db.query(
      `delete from messaging.idempotency_key where account_id = $1 and key = $2 and message_id = $3 and not done`,
      [accountId, key, messageId],
    );
  }

  /** Forgets the keys older than 24 hours, a bounded number at a time; returns how many. */
  async forgetExpired(limit: number): Promise<number> {
    const { rowCount } = await this.db.control.query(
      `delete from messaging.idempotency_key where (account_id, key) in (
          select account_id, key from messaging.idempotency_key
          where created_at < clock_timestamp() - ${REMEMBERED} order by created_at limit $1)`,
      [limit],
    );
    return rowCount ?? 0;
  }
}
