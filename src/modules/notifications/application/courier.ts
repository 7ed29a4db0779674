import { Inject, Injectable } from '@nestjs/common';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import type { JobQueue } from '../../../platform/queues/job-queue.js';
import { Queues } from '../../../platform/queues/queues.js';
import { Logger } from '../../../platform/tokens.js';
import type { NewEvent } from '../../../shared/define-event.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { deliveryDead } from '../contract/notifications.events.js';
import { type AttemptResult, type Delivery, verdictOf } from '../domain/delivery.js';
import { RetrySchedule } from '../domain/retry-schedule.js';
import { DeliveriesRepository, type Outcome } from '../infrastructure/deliveries.repository.js';
import { CallWebhook } from './call-webhook.js';
import { Origins } from './origins.js';

/** Longer than an attempt can take: until then nobody else tries the same delivery. */
export const OWN_MS = 25_000;
const MAX_CONCURRENT = 256;
const MAX_HELD = 5_000;
export const RETRY_QUEUE = 'webhook-retries';

/** What a retry job carries: which delivery is due. */
export interface RetryJob {
  readonly accountId: string;
  readonly messageId: string;
  readonly version: number;
}

interface Recorded {
  readonly outcome: Outcome;
  readonly death: NewEvent | null;
}

/**
 * Carries deliveries to their endpoints: in order per message, each endpoint in its own bulkhead, results recorded in
 * groups. What does not fit into memory stays due in the table.
 */
@Injectable()
export class Courier {
  /** Deliveries of a message that wait for the one under way. */
  private readonly chains = new Map<string, Delivery[]>();
  private readonly origins = new Origins();
  private readonly retries: JobQueue<RetryJob>;
  private readonly results: GroupCommit<Recorded, true>;
  private active = 0;
  private held = 0;
  private stopping = false;
  private idle: (() => void)[] = [];
  readonly counts = { delivered: 0, retried: 0, dead: 0, postponed: 0 };

  constructor(
    private readonly webhook: CallWebhook,
    private readonly deliveries: DeliveriesRepository,
    private readonly schedule: RetrySchedule,
    queues: Queues,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.retries = queues.queue<RetryJob>(RETRY_QUEUE);
    this.results = new GroupCommit<Recorded, true>((items) => this.record(items), {
      maxBatch: 500,
      maxInFlight: 2,
      maxQueued: Number.POSITIVE_INFINITY,
      gatherMs: 2,
    });
  }

  /** How many deliveries are held in memory, and how many attempts are under way. */
  get load(): { held: number; active: number } {
    return { held: this.held, active: this.active };
  }

  /** How many more deliveries fit. */
  get room(): number {
    return this.stopping ? 0 : Math.max(0, MAX_HELD - this.held);
  }

  /** Whether a delivery of this message is held here: a later one queues behind it. */
  holds(messageId: string): boolean {
    return this.chains.has(messageId);
  }

  /** Takes deliveries that this process owns. What does not fit is due again when the ownership ends. */
  offer(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      if (this.room === 0) break;
      this.held++;
      const chain = this.chains.get(delivery.messageId);
      if (chain) {
        chain.push(delivery);
        continue;
      }
      this.chains.set(delivery.messageId, []);
      this.origins.enqueue(delivery);
    }
    this.pump();
  }

  /** Waits for the attempts under way; what has not begun stays due in the table. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.origins.clear();
    while (this.active > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    await this.results.drain();
  }

  private pump(): void {
    while (!this.stopping && this.active < MAX_CONCURRENT) {
      const next = this.origins.take(Date.now());
      if (!next) return;
      if ('delivery' in next) void this.attempt(next.delivery);
      else for (const delivery of next.paused) this.postpone(delivery, next.waitMs);
    }
  }

  private async attempt(delivery: Delivery): Promise<void> {
    this.active++;
    let result: AttemptResult;
    try {
      result = await this.webhook.call(delivery);
    } catch (error) {
      this.logger.warn({ message_sid: delivery.callback.messageSid, err: error }, 'an attempt could not be made');
      result = { kind: 'failure', reason: 'internal', permanent: false };
    }
    this.origins.leave(delivery.url, Date.now(), verdictOf(result) !== 'retry');
    await this.finish(delivery, result);
    this.active--;
    this.pump();
    if (this.active === 0) for (const resolve of this.idle.splice(0)) resolve();
  }

  private async finish(delivery: Delivery, result: AttemptResult): Promise<void> {
    const attempts = delivery.attempts + 1;
    const retryAfterMs = result.kind === 'response' ? result.retryAfterMs : null;
    const waitMs = this.schedule.waitMs(attempts, Math.random(), retryAfterMs);
    let verdict = verdictOf(result);
    if (verdict === 'retry' && waitMs === null) verdict = 'dead';
    const reason = result.kind === 'response' ? `HTTP ${result.status}` : result.reason;
    const outcome: Outcome = {
      accountId: delivery.accountId,
      messageId: delivery.messageId,
      version: delivery.version,
      state: verdict === 'retry' ? 'pending' : verdict,
      attempts,
      nextAttemptMs: waitMs ?? 0,
      status: result.kind === 'response' ? result.status : null,
      error: verdict === 'delivered' ? null : reason,
    };
    try {
      await this.results.submit({ outcome, death: verdict === 'dead' ? deathOf(delivery, reason) : null });
    } catch (error) {
      // The row is still pending: it is due again when the ownership ends, and the customer may be told twice.
      this.logger.warn({ message_sid: delivery.callback.messageSid, err: error }, 'an attempt could not be recorded');
      this.drop(delivery);
      return;
    }
    this.counts[verdict === 'retry' ? 'retried' : verdict]++;
    if (verdict === 'retry') {
      this.drop(delivery);
      await this.remind(delivery, attempts, waitMs!);
    } else {
      await this.next(delivery, attempts > 1);
    }
  }

  /** The next delivery of the same message: one that waits here, or, after retries, one that waits in the table. */
  private async next(delivery: Delivery, isRetried: boolean): Promise<void> {
    this.held--;
    const chain = this.chains.get(delivery.messageId)!;
    const following = chain.shift();
    if (following) {
      this.origins.enqueue(following);
      return;
    }
    this.chains.delete(delivery.messageId);
    if (!isRetried || this.stopping) return;
    const waiting = await this.deliveries.claimNext(delivery.accountId, delivery.messageId, OWN_MS).catch(() => null);
    if (waiting && !this.chains.has(waiting.messageId)) this.offer([waiting]);
  }

  /** Lets go of a message: its later deliveries wait in the table behind this one. */
  private drop(delivery: Delivery): void {
    const chain = this.chains.get(delivery.messageId) ?? [];
    this.held -= 1 + chain.length;
    this.chains.delete(delivery.messageId);
  }

  /** The endpoint's breaker is open: no attempt is made and none is counted. */
  private postpone(delivery: Delivery, waitMs: number): void {
    this.counts.postponed++;
    const outcome: Outcome = {
      accountId: delivery.accountId,
      messageId: delivery.messageId,
      version: delivery.version,
      state: 'pending',
      attempts: delivery.attempts,
      nextAttemptMs: waitMs,
      status: null,
      error: 'the endpoint failed repeatedly and is given a pause',
    };
    this.drop(delivery);
    this.results.submit({ outcome, death: null }).catch(() => undefined);
  }

  private async remind(delivery: Delivery, attempts: number, waitMs: number): Promise<void> {
    const { accountId, messageId, version } = delivery;
    await this.retries.add([
      {
        id: `${messageId}-${version}-${attempts}`,
        data: { accountId, messageId, version },
        delayMs: Math.ceil(waitMs),
      },
    ]);
  }

  private async record(items: Recorded[]): Promise<true[]> {
    await this.deliveries.record(
      items.map((item) => item.outcome),
      items.flatMap((item) => item.death ?? []),
    );
    return items.map(() => true);
  }
}

function deathOf(delivery: Delivery, reason: string): NewEvent {
  // A stream of its own: a delivery that was replayed may die again.
  return {
    type: deliveryDead.type,
    streamId: newId(),
    version: 1,
    tenantId: delivery.accountId,
    traceparent: delivery.traceparent,
    data: {
      deliveryId: `${sidOf('SM', delivery.messageId)}-${delivery.version}`,
      accountSid: sidOf('AC', delivery.accountId),
      messageSid: sidOf('SM', delivery.messageId),
      reason,
    },
  };
}
