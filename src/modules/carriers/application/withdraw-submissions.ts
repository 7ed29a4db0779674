import { Injectable } from '@nestjs/common';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import { parseSid } from '../../../shared/sid.js';
import { WithdrawalsRepository } from '../infrastructure/withdrawals.repository.js';

/** Takes submissions back, in whatever process: from then on nobody can hand them to a carrier. */
@Injectable()
export class WithdrawSubmissions {
  /** Each withdrawal keeps hand-overs waiting for its commit, so those of one process share it. */
  private readonly group = new GroupCommit<readonly string[], ReadonlySet<string>>((asked) => this.run(asked), {
    maxBatch: 200,
    maxInFlight: 1,
    maxQueued: 1_000,
    gatherMs: 0,
  });

  constructor(private readonly withdrawals: WithdrawalsRepository) {}

  /** Which of these keys are withdrawn now; not those that a carrier has or may have, and no nonsense. */
  async withdraw(keys: readonly string[]): Promise<boolean[]> {
    const ids = keys.map((key) => parseSid('SM', key));
    const withdrawn = await this.group.submit(ids.filter((id) => id !== null));
    return ids.map((id) => id !== null && withdrawn.has(id));
  }

  private async run(asked: readonly (readonly string[])[]): Promise<ReadonlySet<string>[]> {
    const keys = asked.flat();
    const withdrawn = await this.withdrawals.withdraw(keys);
    await this.withdrawals.forgetOld(keys.length, Date.now());
    return asked.map(() => withdrawn);
  }
}
