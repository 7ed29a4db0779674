import { Inject, Injectable } from '@nestjs/common';
import { SlidingWindows } from '../../../platform/limits/sliding-windows.js';
import { DatabaseClock } from '../../../platform/postgres/database-clock.js';
import { Failure } from '../../../shared/failure.js';
import type { Principal } from '../../../shared/principal.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { laneOf } from '../domain/lane.js';
import type { Direction } from '../domain/message.js';
import { MessagesRepository } from '../infrastructure/messages.repository.js';
import { RepliesRepository, type ReplyKey } from '../infrastructure/replies.repository.js';
import { GiveUpSagas } from './give-up-sagas.js';
import { SendSaga } from './send-saga.js';
import { ServiceDirectory } from './service-directory.js';
import { type SendRequest, ValidateSend } from './validate-send.js';

/** From the beginning of a reply to the beginning of its append. Nobody waits for it but whoever repeats it. */
const BUDGET_MS = 3_000;

/**
 * So many from one number to another (Twilio's rule, error 14107). Two machines that answer each other would else do so
 * until the balance is spent.
 */
const LIMITS = [{ max: 30, windowMs: 30_000, buckets: 10 }];

export interface Reply extends ReplyKey {
  readonly direction: Extract<Direction, 'outbound-reply' | 'outbound-keyword'>;
  readonly from: string;
  readonly to: string;
  readonly body: string;
  /** The service that the incoming message came to. */
  readonly serviceId: string | null;
  readonly statusCallback: string | null;
  readonly traceparent: string | null;
}

/**
 * Sends an answer to an incoming message, on the way that every message takes, once for each key. As with a repeated
 * Idempotency-Key: an earlier try that left no message is given up before another one begins, under a fresh id.
 */
@Injectable()
export class SendReply {
  /** Of this process: several together let so many more pass, which ends a loop as well. */
  private readonly sent = new SlidingWindows(() => performance.now());

  constructor(
    @Inject(AccountsApi) private readonly accounts: AccountsApi,
    private readonly validate: ValidateSend,
    private readonly saga: SendSaga,
    private readonly giveUp: GiveUpSagas,
    private readonly messages: MessagesRepository,
    private readonly replies: RepliesRepository,
    private readonly services: ServiceDirectory,
    private readonly clock: DatabaseClock,
  ) {}

  /**
   * @returns the id of the message
   * @throws Failure as a create does; account_not_active; too_many_replies; unavailable: to be repeated
   */
  async send(reply: Reply): Promise<string> {
    const earlier = await this.replies.find(reply);
    if (earlier !== null && !(await this.isGivenUp(reply.accountId, earlier))) return earlier;
    const principal = await this.principal(reply.accountId);
    const valid = await this.validate.validate(principal, await this.request(reply));
    const isGranted = this.sent.take(`${reply.accountId} ${valid.from} ${valid.to}`, LIMITS, 1).granted;
    if (!isGranted) throw new Failure('too_many_replies');
    const id = newId(this.clock.now());
    if (!(await this.replies.claim(reply, id, earlier))) throw new Failure('unavailable', { retryAfterSeconds: 1 });
    await this.saga.send({
      message: {
        id,
        accountId: reply.accountId,
        version: 1,
        status: valid.serviceId === null ? 'queued' : 'accepted',
        lane: laneOf(valid.intent),
        queue: valid.queue,
        from: valid.from,
        to: valid.to,
        segments: valid.segments,
        serviceId: valid.serviceId,
        callbackUrl: valid.callbackUrl,
        carrier: null,
        receipts: 0n,
        errorCode: null,
        sentAt: null,
        validUntil: new Date(this.clock.now() + valid.validitySeconds * 1000),
        traceparent: reply.traceparent,
      },
      direction: reply.direction,
      schedule: null,
      body: valid.body,
      encoding: valid.encoding,
      retryUnknown: principal.unknownOutcome === 'retry',
      idempotencyKey: null,
      deadlineMs: this.clock.now() + BUDGET_MS,
    });
    return id;
  }

  /** It goes through the service that the message came to, if its sender is in that still. */
  private async request({ accountId, to, from, body, serviceId, statusCallback }: Reply): Promise<SendRequest> {
    const known = serviceId === null ? null : await this.services.serviceOfNumber(accountId, from);
    const through = known?.service.id === serviceId && serviceId !== null ? sidOf('MG', serviceId) : '';
    return { To: to, From: from, Body: body, MessagingServiceSid: through, StatusCallback: statusCallback ?? '' };
  }

  private async isGivenUp(accountId: string, id: string): Promise<boolean> {
    if ((await this.messages.existing([{ accountId, id }])).has(id)) return false;
    return (await this.giveUp.giveUp([{ accountId, id }])).has(id);
  }

  /** As if the account itself sent it. */
  private async principal(accountId: string): Promise<Principal> {
    const accountSid = sidOf('AC', accountId);
    const account = await this.accounts.getAccount({ accountSid });
    if (account?.status !== 'active') throw new Failure('account_not_active');
    const { status, tier, messagesPerMinute, messagesPerSecond, messagesPerDay, unknownOutcome } = account;
    const limits = { messagesPerMinute, messagesPerSecond, messagesPerDay };
    return { accountSid, status, tier, credential: 'auth_token', ...limits, unknownOutcome };
  }
}
