import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { idFloor } from '../../../shared/sid.js';
import { type ChargeDigest, type DigestInput, MAX_BUCKETS } from '../contract/billing.api.js';
import { ChargesRepository } from '../infrastructure/charges.repository.js';

/** Adds the reservations of a range up, bucket by bucket, so that two sides can find where they differ. */
@Injectable()
export class DigestCharges {
  constructor(private readonly charges: ChargesRepository) {}

  /** @throws Failure `invalid_parameter` when the range is none, or has too many buckets */
  async digest(input: DigestInput): Promise<ChargeDigest[]> {
    const [fromMs, toMs] = [Date.parse(input.from), Date.parse(input.to)];
    if (!(fromMs <= toMs)) throw new Failure('invalid_parameter', { field: 'to', detail: 'must not lie before from' });
    if (!(input.bucketMs >= 1 && (toMs - fromMs) / input.bucketMs <= MAX_BUCKETS)) {
      const detail = `must cut the range into at most ${MAX_BUCKETS} buckets`;
      throw new Failure('invalid_parameter', { field: 'bucketMs', detail });
    }
    const range = { fromId: idFloor(fromMs), toId: idFloor(toMs) };
    const buckets = await this.charges.digest(range, fromMs, input.bucketMs);
    return buckets.map(({ index, ...lines }) => ({
      from: new Date(fromMs + index * input.bucketMs).toISOString(),
      ...lines,
    }));
  }
}
