import { Injectable } from '@nestjs/common';
import { parseSid } from '../../../shared/sid.js';
import { WithdrawalsRepository } from '../infrastructure/withdrawals.repository.js';

/** Takes submissions back, in whatever process: from then on nobody can hand them to a carrier. */
@Injectable()
export class WithdrawSubmissions {
  constructor(private readonly withdrawals: WithdrawalsRepository) {}

  /** Which of these keys are withdrawn now; not those that a carrier has or may have, and no nonsense. */
  async withdraw(keys: readonly string[]): Promise<boolean[]> {
    const ids = keys.map((key) => parseSid('SM', key));
    const asked = ids.filter((id) => id !== null);
    const withdrawn = await this.withdrawals.withdraw(asked);
    await this.withdrawals.forgetOld(asked.length, Date.now());
    return ids.map((id) => id !== null && withdrawn.has(id));
  }
}
