import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { UsageRepository } from '../infrastructure/usage.repository.js';

/** Makes the usage of all accounts anew from the ledger's entries, while charges go on. Reads every entry. */
@Injectable()
export class RebuildUsage {
  constructor(private readonly usage: UsageRepository) {}

  /**
   * @returns how many days of accounts were wrong
   * @throws Failure `conflict` when another rebuild ran at the same time; nothing was changed then
   */
  async rebuild(): Promise<{ corrected: number }> {
    const corrected = await this.usage.correct();
    if (corrected === null) throw new Failure('conflict', { detail: 'another rebuild ran at the same time' });
    return { corrected };
  }
}
