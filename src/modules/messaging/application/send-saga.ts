import { Inject, Injectable } from '@nestjs/common';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import type { Step } from '../../../platform/http/decorators.js';
import { DatabaseClock } from '../../../platform/postgres/database-clock.js';
import { withBudget } from '../../../platform/remote/call-budget.js';
import { Failure } from '../../../shared/failure.js';
import { sidOf } from '../../../shared/sid.js';
import { isSampled, stageTraceparent } from '../../../shared/traceparent.js';
import { BillingApi, type ReserveResult } from '../../billing/contract/billing.api.js';
import { begun, type Direction, type Message } from '../domain/message.js';
import type { Schedule } from '../domain/schedule.js';
import { MessagesRepository, type NewMessage } from '../infrastructure/messages.repository.js';
import { GiveUpSagas } from './give-up-sagas.js';
import { KnownOptOuts, optedOutFailure } from './known-opt-outs.js';
import { SagaOutcomes } from './saga-outcomes.js';

/** A validated message, ready to be paid for and written. */
export interface Draft {
  readonly message: Message;
  /** By default `outbound-api`. */
  readonly direction?: Exclude<Direction, 'inbound'> | undefined;
  /** Null: it is sent at once. */
  readonly schedule: Schedule | null;
  readonly body: string;
  readonly encoding: 'GSM-7' | 'UCS-2';
  readonly retryUnknown: boolean;
  readonly idempotencyKey: string | null;
  /** By the database's clock, milliseconds. */
  readonly deadlineMs: number;
  /** How many instances of this product it has passed through before; none where it is left out. */
  readonly hops?: number;
  /** Whether nobody waits for the answer any more. */
  readonly isGone?: () => boolean;
  /** Where its steps are noted as they end. */
  readonly steps?: Step[] | undefined;
}

/** A message that is durable: answered with 201 from here on, whatever happens. */
export interface Accepted {
  readonly draft: Draft;
  readonly createdAt: Date;
  readonly priceMicros: number;
  readonly currency: string;
}

/** A draft whose price is reserved, as it is written. */
interface Payable extends NewMessage {
  readonly draft: Draft;
}

const RESERVE = 'messaging.reserve';
const APPEND = 'messaging.append';
/**
 * Sends that come while a group is under way leave with its return: groups side by side are smaller and wait for each
 * other's rows, which took a quarter more of PostgreSQL's time and gained nothing. One that takes as long as this is held
 * up, and holds up the others no more.
 */
const GATHER_MS = 50;
const DAY_MS = 24 * 3600 * 1000;
/** When some of an account's messages may have become final. */
const QUEUE_FULL_RETRY_S = 5;

const REFUSALS = {
  insufficient_balance: 'insufficient_balance',
  quota_exhausted: 'too_many_requests',
  queue_full: 'queue_full',
  no_rate: 'no_route',
  no_ledger: 'account_not_active',
  already_resolved: 'unavailable',
  invalid_key: 'unavailable',
} as const;

/**
 * The orchestrated saga of a send: billing reserves, then messaging writes. Concurrent sends travel in groups, two
 * commits for each group. Where the writing is refused or fails, the reservation is given back, but only once it is
 * certain that the message can no longer be written.
 */
@Injectable()
export class SendSaga {
  private readonly atOnce = this.group(3);
  /** Apart: what is scheduled is written by another statement, and no group of the others waits for it. */
  private readonly later = this.group(1);

  constructor(
    @Inject(BillingApi) private readonly billing: BillingApi,
    private readonly messages: MessagesRepository,
    private readonly giveUp: GiveUpSagas,
    private readonly outcomes: SagaOutcomes,
    private readonly clock: DatabaseClock,
    private readonly optOuts: KnownOptOuts,
  ) {}

  /**
   * Makes a draft a message.
   *
   * @throws Failure insufficient_balance, no_route (no rate), account_not_active, unavailable (the budget is spent),
   *   too_many_requests (the day's quota), queue_full (too many of the account's messages are on their way), opted_out
   */
  send(draft: Draft): Promise<Accepted> {
    const { message, direction } = draft;
    const isKnown = direction !== 'outbound-keyword' && this.optOuts.mayHave(message);
    return isKnown ? this.optOuts.refuse(message).then(() => this.submit(draft)) : this.submit(draft);
  }

  /** Resolves when no saga is under way. */
  async drain(): Promise<void> {
    await Promise.all([this.atOnce.drain(), this.later.drain()]);
  }

  private group(maxInFlight: number): GroupCommit<Draft, Accepted> {
    return new GroupCommit<Draft, Accepted>((drafts) => this.run(drafts), {
      maxBatch: 200,
      maxInFlight,
      maxQueued: 5000,
      gatherMs: GATHER_MS,
      ownerOf: (draft) => draft.message.accountId,
    });
  }

  /** What has no time left, or whose client has given up, is not worked on: nothing is reserved for it. */
  private async run(drafts: Draft[]): Promise<(Accepted | Error)[]> {
    const now = this.clock.now();
    const wanted = drafts.filter((draft) => !draft.isGone?.());
    if (wanted.length < drafts.length) this.outcomes.count('validate', 'abandoned', drafts.length - wanted.length);
    const timely = wanted.filter((draft) => draft.deadlineMs > now);
    if (timely.length < wanted.length) this.outcomes.count('validate', 'too_late', wanted.length - timely.length);
    const results = new Map<Draft, Accepted | Error>();
    if (timely.length > 0) await this.payAndWrite(timely, results);
    return drafts.map((draft) => results.get(draft) ?? new Failure('unavailable', { retryAfterSeconds: 1 }));
  }

  private submit(draft: Draft): Promise<Accepted> {
    return (draft.schedule ? this.later : this.atOnce).submit(draft);
  }

  private async payAndWrite(drafts: readonly Draft[], results: Map<Draft, Accepted | Error>): Promise<void> {
    const reserved = await this.reserve(drafts);
    const payable: Payable[] = [];
    reserved.forEach((result, index) => {
      const draft = drafts[index]!;
      if (result.outcome === 'reserved') {
        const { amountMicros: priceMicros, currency } = result;
        payable.push({ ...draft, draft, priceMicros, currency, event: begun(draft.message, draft.schedule) });
      } else {
        results.set(draft, this.refusal(result.outcome));
      }
      this.outcomes.count('reserve', result.outcome);
    });
    if (payable.length > 0) await this.write(payable, results);
  }

  private refusal(outcome: keyof typeof REFUSALS): Failure {
    if (outcome === 'queue_full') return new Failure('queue_full', { retryAfterSeconds: QUEUE_FULL_RETRY_S });
    if (outcome !== 'quota_exhausted') return new Failure(REFUSALS[outcome]);
    return new Failure('too_many_requests', {
      detail: "The account's messages of this day (UTC) are used up",
      retryAfterSeconds: (DAY_MS - (this.clock.now() % DAY_MS)) / 1000,
    });
  }

  private async reserve(drafts: readonly Draft[]): Promise<ReserveResult[]> {
    const items = drafts.map(({ message }) => ({
      key: sidOf('SM', message.id),
      accountSid: sidOf('AC', message.accountId),
      to: message.to,
      segments: message.segments,
    }));
    const budgetMs = Math.max(...drafts.map((draft) => draft.deadlineMs)) - this.clock.now();
    const startedAtMs = performance.now();
    try {
      return await withBudget(budgetMs, () => this.billing.reserve(items), tracesOf(drafts));
    } catch (error) {
      // What was reserved before the answer was lost is found by its key later; nobody is charged for it.
      this.outcomes.count('reserve', 'error', drafts.length);
      throw error;
    } finally {
      note(RESERVE, drafts, startedAtMs);
    }
  }

  private async write(items: readonly Payable[], results: Map<Draft, Accepted | Error>): Promise<void> {
    const drafts = items.map((item) => item.draft);
    const startedAtMs = performance.now();
    const { createdAt, optedOut } = await this.messages.append(items).finally(() => note(APPEND, drafts, startedAtMs));
    const refused: Payable[] = [];
    for (const item of items) {
      const at = createdAt.get(item.message.id);
      if (at) results.set(item.draft, { ...item, createdAt: at });
      else refused.push(item);
    }
    this.outcomes.count('append', 'written', createdAt.size);
    if (refused.length === 0) return;
    for (const item of refused.filter(({ message }) => optedOut.has(message.id))) {
      this.optOuts.remember(item.message);
      results.set(item.draft, optedOutFailure());
    }
    if (optedOut.size > 0) this.outcomes.count('append', 'opted_out', optedOut.size);
    if (refused.length > optedOut.size) this.outcomes.count('append', 'too_late', refused.length - optedOut.size);
    // Where this fails too, the sweep of reservations does it later; the rest of the group is written all the same.
    await this.giveUp
      .giveUp(refused.map((item) => item.message))
      .catch(() => this.outcomes.count('compensate', 'left_to_sweep', refused.length));
  }
}

/** Of the drafts whose requests are sampled, what their reservation passes on. */
function tracesOf(drafts: readonly Draft[]): string[] {
  const sampled: string[] = [];
  for (const { message } of drafts) {
    if (isSampled(message.traceparent)) sampled.push(stageTraceparent(message.traceparent, RESERVE));
  }
  return sampled;
}

function note(name: string, drafts: readonly Draft[], startedAtMs: number): void {
  const step = { name, startedAtMs, endedAtMs: performance.now() };
  for (const { steps } of drafts) steps?.push(step);
}
