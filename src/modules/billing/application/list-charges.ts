import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { idFloor, sidOf } from '../../../shared/sid.js';
import type { ChargeRow, ListChargesInput } from '../contract/billing.api.js';
import { chargeKeyText, parseChargeKey } from '../domain/charge-key.js';
import { ChargesRepository } from '../infrastructure/charges.repository.js';

/** Lists the reservations of a range. */
@Injectable()
export class ListCharges {
  constructor(private readonly charges: ChargesRepository) {}

  /** @throws Failure `invalid_parameter` when `after` is no key */
  async list(input: ListChargesInput): Promise<ChargeRow[]> {
    const after = input.after === null ? null : parseChargeKey(input.after);
    if (input.after !== null && !after) {
      throw new Failure('invalid_parameter', { field: 'after', detail: 'must be the key of a charge' });
    }
    const range = { fromId: idFloor(Date.parse(input.from)), toId: idFloor(Date.parse(input.to)) };
    const rows = await this.charges.list(range, after?.id ?? null, input.limit, input.state === 'pending');
    return rows.map((row) => ({
      key: chargeKeyText({ prefix: row.keyPrefix, id: row.keyId }),
      accountSid: sidOf('AC', row.accountId),
      state: row.state,
      amountMicros: row.amountMicros,
      changedAt: row.changedAt.toISOString(),
    }));
  }
}
