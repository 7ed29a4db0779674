import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Step } from '../../../platform/http/decorators.js';
import { DatabaseClock } from '../../../platform/postgres/database-clock.js';
import { Failure } from '../../../shared/failure.js';
import type { Principal } from '../../../shared/principal.js';
import { newId, parseSid } from '../../../shared/sid.js';
import { laneOf } from '../domain/lane.js';
import { firstStatus } from '../domain/message.js';
import type { MessageView } from '../domain/message-view.js';
import { IdempotencyRepository } from '../infrastructure/idempotency.repository.js';
import { MessageViews } from '../infrastructure/message-views.js';
import { GiveUpSagas } from './give-up-sagas.js';
import { SendSaga } from './send-saga.js';
import { type SendRequest, ValidateSend, type ValidSend } from './validate-send.js';

/** From the arrival of the request to the beginning of its append, by the database's clock. */
const BUDGET_MS = 500;
/** How long a key stays locked beyond the budget: no append of its saga can begin any more. */
const KEY_LOCK_MS = BUDGET_MS + 1500;

export interface SendOptions {
  readonly idempotencyKey: string | null;
  readonly traceparent: string | null;
  /** How long ago the request arrived, milliseconds. */
  readonly waitedMs: number;
  /** How many instances of this product the message has passed through before; by default none. */
  readonly hops?: number;
  /** Whether the client has given up; by default it never does. */
  readonly isGone?: () => boolean;
  /** Where the steps of the saga are noted as they end. */
  readonly steps?: Step[] | undefined;
}

export interface Sent {
  readonly message: MessageView;
  /** The answer to an earlier request with the same Idempotency-Key. */
  readonly replayed: boolean;
}

/** Accepts one message: validated, paid for, durable. */
@Injectable()
export class SendMessage {
  constructor(
    private readonly validate: ValidateSend,
    private readonly saga: SendSaga,
    private readonly giveUp: GiveUpSagas,
    private readonly keys: IdempotencyRepository,
    private readonly views: MessageViews,
    private readonly clock: DatabaseClock,
  ) {}

  /**
   * @throws Failure with the Twilio code of what is wrong with the request; idempotency_mismatch,
   *   idempotency_in_progress; insufficient_balance; too_many_requests; queue_full; unavailable when the budget of 500 ms is spent
   */
  async send(principal: Principal, request: SendRequest, options: SendOptions): Promise<Sent> {
    const deadlineMs = this.clock.now() - options.waitedMs + BUDGET_MS;
    let valid: ValidSend;
    const startedAtMs = performance.now();
    try {
      valid = await this.validate.validate(principal, request);
      options.steps?.push({ name: 'messaging.validate', startedAtMs, endedAtMs: performance.now() });
    } catch (error) {
      const earlier = await this.answered(principal, request, options.idempotencyKey);
      if (earlier) return earlier;
      throw error;
    }
    if (options.idempotencyKey === null) {
      return { message: await this.run(principal, valid, this.newId(), deadlineMs, options), replayed: false };
    }
    return this.once(principal, request, valid, deadlineMs, options, options.idempotencyKey);
  }

  /** The answer to an earlier request: what it asked for may be impossible by now, the answer stays. */
  private async answered(principal: Principal, request: SendRequest, key: string | null): Promise<Sent | null> {
    if (key === null) return null;
    const accountId = parseSid('AC', principal.accountSid)!;
    const claim = await this.keys.read(accountId, key, hashOf(request));
    if (claim?.kind === 'mismatch') throw new Failure('idempotency_mismatch', { field: 'Idempotency-Key' });
    return claim?.kind === 'answered' ? this.replay(accountId, claim.messageId) : null;
  }

  private async once(
    principal: Principal,
    request: SendRequest,
    valid: ValidSend,
    deadlineMs: number,
    options: SendOptions,
    key: string,
  ): Promise<Sent> {
    const accountId = parseSid('AC', principal.accountSid)!;
    const id = this.newId();
    const claim = await this.keys.claim(accountId, key, hashOf(request), id, KEY_LOCK_MS);
    if (claim.kind === 'running') throw new Failure('idempotency_in_progress', { retryAfterSeconds: 1 });
    if (claim.kind === 'mismatch') throw new Failure('idempotency_mismatch', { field: 'Idempotency-Key' });
    if (claim.kind === 'answered') return this.replay(accountId, claim.messageId);
    if (claim.kind === 'stale') {
      const gone = await this.giveUp.giveUp([{ accountId, id: claim.messageId }]);
      if (!gone.has(claim.messageId)) {
        await this.keys.complete(accountId, key, claim.messageId);
        return this.replay(accountId, claim.messageId);
      }
      const mine = await this.keys.takeOver(accountId, key, claim.messageId, id, KEY_LOCK_MS);
      if (!mine) throw new Failure('idempotency_in_progress', { retryAfterSeconds: 1 });
    }
    try {
      return { message: await this.run(principal, valid, id, deadlineMs, options), replayed: false };
    } catch (error) {
      // Refused for good: nothing was written, so the key is free again. An unknown failure stays locked for its time.
      if (error instanceof Failure && error.failure !== 'unavailable') await this.keys.release(accountId, key, id);
      throw error;
    }
  }

  /** By the database's clock, as everything that looks for what a crash left behind. */
  private newId(): string {
    return newId(this.clock.now());
  }

  private async run(
    principal: Principal,
    valid: ValidSend,
    id: string,
    deadlineMs: number,
    options: SendOptions,
  ): Promise<MessageView> {
    const { serviceId, schedule } = valid;
    const fromMs = schedule ? schedule.sendAt.getTime() : this.clock.now();
    const accepted = await this.saga.send({
      message: {
        id,
        accountId: parseSid('AC', principal.accountSid)!,
        version: 1,
        status: firstStatus(serviceId, schedule !== null),
        lane: laneOf(valid.intent),
        queue: valid.queue,
        from: valid.from,
        to: valid.to,
        segments: valid.segments,
        serviceId,
        callbackUrl: valid.callbackUrl,
        carrier: null,
        receipts: 0n,
        errorCode: null,
        sentAt: null,
        validUntil: new Date(fromMs + valid.validitySeconds * 1000),
        traceparent: options.traceparent,
      },
      schedule,
      body: valid.body,
      encoding: valid.encoding,
      retryUnknown: principal.unknownOutcome === 'retry',
      idempotencyKey: options.idempotencyKey,
      deadlineMs,
      isGone: options.isGone,
      steps: options.steps,
      hops: options.hops ?? 0,
    });
    const { draft, createdAt, priceMicros, currency } = accepted;
    const { message } = draft;
    return {
      ...message,
      direction: 'outbound-api',
      sendAt: schedule?.sendAt ?? null,
      body: draft.body,
      createdAt,
      updatedAt: createdAt,
      priceMicros,
      currency,
    };
  }

  /** The answer as it was: the message in its first state. Its text is the present one, empty after a redaction. */
  private async replay(accountId: string, messageId: string): Promise<Sent> {
    const view = await this.views.find(accountId, messageId, { deleted: true });
    if (!view) throw new Failure('unavailable', { retryAfterSeconds: 1 });
    const status = firstStatus(view.serviceId, view.sendAt !== null);
    const first = { status, errorCode: null, sentAt: null, updatedAt: view.createdAt };
    return { message: { ...view, ...first }, replayed: true };
  }
}

/** Two requests are the same when every parameter is, in whatever order they came. */
function hashOf(request: SendRequest): Buffer {
  const sorted = Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest();
}
