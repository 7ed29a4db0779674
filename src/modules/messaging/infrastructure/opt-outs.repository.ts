import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { OptOut, OptOutKey, OptOutSource } from '../domain/opt-out.js';
import { MessagingDatabase } from './messaging.storage.js';

interface OptOutRow {
  recipient: string;
  sender: string;
  service_id: string | null;
  source: OptOutSource;
  created_at: Date;
}

export interface OptOutFilter {
  readonly recipient?: string;
  /** A number, or the id of a service. */
  readonly sender?: string;
}

/**
 * Whether a message's recipient has opted out of its sender or of its service, as an SQL condition for the statement that
 * reads or writes the message anyway: exact in that statement's snapshot, at the price of one probe of an index, or two with
 * a service. A subquery of its own for each row: a join could be planned, while the table is empty, so as to read all of it
 * later.
 *
 * @param of the columns, or expressions, of the message
 */
export function isOptedOutSql(of: { account: string; to: string; from: string; service: string; direction: string }) {
  const found = (sender: string) => `(select true from messaging.opt_out o where o.account_id = ${of.account}
    and o.recipient = ${of.to} and o.sender = ${sender} limit 1) is not null`;
  return `(${of.direction} <> 'outbound-keyword' and (${found(of.from)}
    or (${of.service} is not null and ${found(`${of.service}::text`)})))`;
}

/** Who wants no messages from whom. */
@Injectable()
export class OptOutsRepository {
  constructor(private readonly db: MessagingDatabase) {}

  /** Whether the recipient has opted out of one of the senders. */
  async isOptedOut(accountId: string, recipient: string, senders: readonly string[]): Promise<boolean> {
    const { rows } = await this.db.query({
      name: 'messaging-opted-out',
      text: `select from messaging.opt_out where account_id = $1 and recipient = $2 and sender = any($3::text[]) limit 1`,
      values: [accountId, recipient, senders],
    });
    return rows.length > 0;
  }

  /** Adds opt-outs; those that are there already stay as they are. Returns how many are new. */
  async add(tx: Queryable, keys: readonly OptOutKey[], source: OptOutSource): Promise<number> {
    if (keys.length === 0) return 0;
    // In the order of the key, so that two that add the same do not wait for each other.
    const { rowCount } = await tx.query(
      `insert into messaging.opt_out (account_id, recipient, sender, service_id, source)
        select account_id, recipient, sender, service_id, $5
        from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) as i(account_id, recipient, sender, service_id)
        order by account_id, recipient, sender on conflict do nothing`,
      [
        keys.map((key) => key.accountId),
        keys.map((key) => key.recipient),
        keys.map((key) => key.sender),
        keys.map((key) => key.serviceId),
        source,
      ],
    );
    return rowCount ?? 0;
  }

  /**
   * Removes a recipient's opt-outs: of the senders that are named, with those of numbers that came through a named service;
   * all of the recipient's where none is named. Returns how many there were.
   */
  async remove(
    tx: Queryable,
    accountId: string,
    recipient: string,
    senders: readonly string[] | null,
  ): Promise<number> {
    const { rowCount } = await tx.query(
      `delete from messaging.opt_out where account_id = $1 and recipient = $2
        and ($3::text[] is null or sender = any($3) or service_id::text = any($3))`,
      [accountId, recipient, senders],
    );
    return rowCount ?? 0;
  }

  /** A page of an account's opt-outs, by recipient and sender, from behind one. */
  async list(
    accountId: string,
    filter: OptOutFilter,
    after: { recipient: string; sender: string } | null,
    limit: number,
  ): Promise<OptOut[]> {
    const { rows } = await this.db.search.query<OptOutRow>(
      `select recipient, sender, service_id, source, created_at from messaging.opt_out
        where account_id = $1 and ($2::text is null or recipient = $2) and ($3::text is null or sender = $3)
          and ($4::text is null or (recipient, sender) > ($4, $5::text))
        order by recipient, sender limit $6`,
      [
        accountId,
        filter.recipient ?? null,
        filter.sender ?? null,
        after?.recipient ?? null,
        after?.sender ?? null,
        limit,
      ],
    );
    return rows.map((row) => toOptOut(accountId, row));
  }
}

function toOptOut(accountId: string, row: OptOutRow): OptOut {
  const { recipient, sender, source } = row;
  return { accountId, recipient, sender, serviceId: row.service_id, source, createdAt: row.created_at };
}
