import { Inject, Injectable } from '@nestjs/common';
import { DatabaseClock } from '../../../platform/postgres/database-clock.js';
import { parseSid } from '../../../shared/sid.js';
import { BillingApi } from '../../billing/contract/billing.api.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { SweepRepository } from '../infrastructure/sweep.repository.js';
import { GiveUpSagas } from './give-up-sagas.js';

const NAME = 'reservations';
const BATCH = 1000;
/**
 * A reservation that begins within its saga's budget may still wait for a connection and for its statement, 10 s each:
 * one that is written after it was looked for would be found by nobody. Younger than what the audit calls a violation.
 */
const AGE_MS = 25_000;
/** At its start a process looks again at this much of the past: a saga may have outlived its process's pause. */
const LOOK_BACK_MS = 3_600_000;

/**
 * Looks once at every reservation that is older than a saga lives, and gives up those whose message was never written.
 * Billing never lets a reservation lapse by itself; this is who ends those that a crash left behind.
 */
@Injectable()
export class SweepReservations {
  private from: number | null = null;
  private after: string | null = null;
  /** Whose sagas began before this instant is dead. */
  private deadBefore = Number.NEGATIVE_INFINITY;

  constructor(
    @Inject(BillingApi) private readonly billing: BillingApi,
    private readonly messages: MessagesRepository,
    private readonly sweeps: SweepRepository,
    private readonly giveUp: GiveUpSagas,
    private readonly clock: DatabaseClock,
  ) {}

  /**
   * Says that whoever worked here before is dead: what it left need not come of age. It is looked at again when it has,
   * since a statement may outlive whoever sent it.
   */
  succeed(): void {
    this.deadBefore = this.clock.now();
  }

  /** One bounded step; returns whether there is more to look at. Safe in several processes at once. */
  async step(): Promise<boolean> {
    const grown = this.clock.now() - AGE_MS;
    const to = Math.max(grown, this.deadBefore);
    this.from ??= await this.start(grown);
    if (to <= this.from) return false;
    const pending = await this.billing.listCharges({
      from: new Date(this.from).toISOString(),
      to: new Date(to).toISOString(),
      after: this.after,
      limit: BATCH,
      state: 'pending',
    });
    const sagas = pending.map((charge) => ({
      accountId: parseSid('AC', charge.accountSid)!,
      id: parseSid('SM', charge.key)!,
    }));
    if (sagas.length > 0) {
      const written = await this.messages.existing(sagas);
      await this.giveUp.giveUp(sagas.filter((saga) => !written.has(saga.id)));
    }
    if (pending.length === BATCH) {
      this.after = pending[pending.length - 1]!.key;
      return true;
    }
    await this.sweeps.advance(NAME, new Date(grown).toISOString());
    this.from = Math.max(this.from, grown);
    this.after = null;
    return false;
  }

  private async start(now: number): Promise<number> {
    const position = await this.sweeps.position(NAME);
    const reached = position === null ? now - LOOK_BACK_MS : Date.parse(position);
    return Math.min(reached, now) - LOOK_BACK_MS;
  }
}
