import { Injectable } from '@nestjs/common';
import { idFloor } from '../../../shared/sid.js';
import { CarriersDatabase } from './carriers.storage.js';

/** By the instant in the key: longer than anything waits for a carrier, be it scheduled for the day after a month. */
const KEEP_MS = 40 * 24 * 3_600_000;
/** More than comes in, so that what is old goes away by itself. */
const FORGET_PER_KEY = 2;

/** The keys that were taken back before any carrier had them. */
@Injectable()
export class WithdrawalsRepository {
  constructor(private readonly db: CarriersDatabase) {}

  /**
   * Makes keys that no carrier may have durable as withdrawn. Returns those that are, now or before.
   * How it is kept apart from writing an intent stands beside the function, in the migration that makes it.
   */
  async withdraw(keys: readonly string[]): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    const { rows } = await this.db.query<{ key: string }>('select carriers.withdraw($1::uuid[]) as key', [keys]);
    return new Set(rows.map((row) => row.key));
  }

  /** Removes a few of the keys that nobody can have waiting any more. */
  async forgetOld(withdrawn: number, nowMs: number): Promise<void> {
    await this.db.query(
      `delete from carriers.withdrawn where key in (
        select key from carriers.withdrawn where key < $1::uuid order by key limit $2 for update skip locked)`,
      [idFloor(nowMs - KEEP_MS), withdrawn * FORGET_PER_KEY],
    );
  }
}
