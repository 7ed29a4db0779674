import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { Failure } from '../../../shared/failure.js';
import { idFloor, parseSid, sidOf } from '../../../shared/sid.js';
import type {
  listSubmissionsInput,
  SubmissionDigest,
  SubmissionRow,
  submissionBuckets,
} from '../contract/carriers.api.js';
import { CarriersDatabase } from './carriers.storage.js';

interface DigestRow {
  bucket: string;
  outcome: 'accepted' | 'rejected' | 'unknown';
  count: string;
  hash: string;
}

/** Submissions as the audit reads them: by the instant in their keys. */
@Injectable()
export class SubmissionAuditRepository {
  constructor(private readonly db: CarriersDatabase) {}

  async digest(input: z.infer<typeof submissionBuckets>): Promise<SubmissionDigest[]> {
    const { rows } = await this.db.survey((tx) =>
      tx.query<DigestRow>(
        `select (('x' || translate(left(key::text, 13), '-', ''))::bit(48)::bigint / $3::bigint) * $3::bigint as bucket,
          outcome, count(*) as count, bit_xor(hashtextextended(key::text, 0))::text as hash
        from carriers.submission where key >= $1::uuid and key < $2::uuid group by 1, 2 order by 1`,
        [idFloor(Date.parse(input.from)), idFloor(Date.parse(input.to)), input.bucketMs],
      ),
    );
    const lines = new Map<string, SubmissionDigest>();
    for (const row of rows) {
      const line = lines.get(row.bucket) ?? emptyLine(Number(row.bucket));
      lines.set(row.bucket, { ...line, [row.outcome]: { count: Number(row.count), hash: row.hash } });
    }
    return [...lines.values()];
  }

  async list(input: z.infer<typeof listSubmissionsInput>): Promise<SubmissionRow[]> {
    const after = input.after === null ? null : parseSid('SM', input.after);
    if (input.after !== null && after === null) throw new Failure('invalid_parameter', { field: 'after' });
    const { rows } = await this.db.search.query<{
      key: string;
      account_id: string;
      carrier: string;
      outcome: SubmissionRow['outcome'];
      answered_at: Date;
    }>(
      `select key, account_id, carrier, outcome, answered_at from carriers.submission
        where key >= $1::uuid and key < $2::uuid and ($3::uuid is null or key > $3) order by key limit $4`,
      [idFloor(Date.parse(input.from)), idFloor(Date.parse(input.to)), after, input.limit],
    );
    return rows.map((row) => ({
      key: sidOf('SM', row.key),
      accountSid: sidOf('AC', row.account_id),
      carrier: row.carrier,
      outcome: row.outcome,
      answeredAt: row.answered_at.toISOString(),
    }));
  }
}

function emptyLine(bucketMs: number): SubmissionDigest {
  const none = { count: 0, hash: '0' };
  return { from: new Date(bucketMs).toISOString(), accepted: none, rejected: none, unknown: none };
}
