import { Inject, Injectable } from '@nestjs/common';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import { Logger } from '../../../platform/tokens.js';
import { MAX_REPLIES, MessagingApi } from '../../messaging/contract/messaging.api.js';
import { ASK_ERRORS } from '../domain/ask-errors.js';
import type { AttemptResult, Delivery } from '../domain/delivery.js';
import { type AskUrl, askedUrl, askForm, type InboundAsk } from '../domain/inbound-ask.js';
import { retryAfterMs } from '../domain/retry-schedule.js';
import { BadAnswer, readAnswer, type Twiml, type TwimlMessage } from '../domain/twiml.js';
import { parseTwiml } from '../infrastructure/parse-twiml.js';
import { SignedRequest, type SignedResult } from './signed-request.js';

/** At most so many documents make up one answer. */
const MAX_DOCUMENTS = 5;
const TEXTS = { maxBatch: 200, maxInFlight: 2, maxQueued: 10_000, gatherMs: 2 };

interface Asked {
  readonly accountSid: string;
  readonly messageSid: string;
}

/** What came of the documents of one answer, or how they failed. */
type Answer = { readonly messages: readonly TwimlMessage[] } | { readonly failure: AttemptResult };

/**
 * Asks a customer's webhook what to do with an incoming message, and does it: the text is read when it is asked, and the
 * replies are sent by messaging, each once for its place, so that an attempt may be repeated. Never rejects.
 */
@Injectable()
export class AskWebhook {
  private readonly texts: GroupCommit<Asked, string | null>;

  constructor(
    private readonly request: SignedRequest,
    @Inject(MessagingApi) private readonly messaging: MessagingApi,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.texts = new GroupCommit((asked) => this.read(asked), TEXTS);
  }

  /** One attempt, all its documents within `timeoutMs`. */
  async ask(delivery: Delivery, ask: InboundAsk, timeoutMs: number, signal: AbortSignal): Promise<AttemptResult> {
    const { accountSid, messageSid } = ask;
    let body: string | null;
    try {
      body = await this.texts.submit({ accountSid, messageSid });
    } catch (error) {
      this.logger.warn({ message_sid: messageSid, err: error }, 'a webhook waits for the text that it is asked about');
      return { kind: 'unsent', reason: 'the text is not available' };
    }
    if (body === null) return { kind: 'failure', reason: 'the message is gone', permanent: true };
    const answer = await this.documents(delivery, askedUrl(ask), askForm(ask, body), timeoutMs, signal);
    if ('failure' in answer) return answer.failure;
    return this.reply(delivery, ask, answer.messages);
  }

  private async documents(
    delivery: Delivery,
    first: AskUrl,
    form: Record<string, string>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Answer> {
    const untilMs = performance.now() + timeoutMs;
    const messages: TwimlMessage[] = [];
    let next: AskUrl | null = first;
    for (let count = 0; next !== null; count++) {
      if (count === MAX_DOCUMENTS) return failed('the answer redirects too often', ASK_ERRORS.redirects);
      const leftMs = Math.ceil(untilMs - performance.now());
      if (leftMs <= 0) return { failure: { kind: 'failure', reason: 'timeout', permanent: false } };
      const asked: AskUrl = next;
      const result = await this.request.send(delivery, { ...asked, form, timeoutMs: leftMs, signal });
      const read = understood(result, asked.url);
      if ('failure' in read) return read;
      messages.push(...read.messages);
      next = read.redirect;
    }
    return { messages };
  }

  private async reply(
    delivery: Delivery,
    { accountSid, messageSid }: InboundAsk,
    messages: readonly TwimlMessage[],
  ): Promise<AttemptResult> {
    const done: AttemptResult = { kind: 'response', status: 200, retryAfterMs: null };
    if (messages.length === 0) return done;
    const replies = messages.slice(0, MAX_REPLIES);
    try {
      const { traceparent } = delivery;
      const results = await this.messaging.reply({ accountSid, messageSid, traceparent, replies });
      const codes = results.flatMap(({ errorCode }) => errorCode ?? []);
      const fields = {
        account_sid: accountSid,
        message_sid: messageSid,
        codes,
        left_out: messages.length - replies.length,
      };
      if (codes.length > 0 || fields.left_out > 0) this.logger.warn(fields, 'some replies of a webhook are not sent');
      return done;
    } catch (error) {
      this.logger.warn({ message_sid: messageSid, err: error }, 'the replies of a webhook could not be sent');
      return { kind: 'unsent', reason: 'the replies could not be sent' };
    }
  }

  private async read(asked: readonly Asked[]): Promise<(string | null)[]> {
    const texts = await this.messaging.receivedTexts([...asked]);
    const bodies = new Map(texts.map(({ messageSid, body }) => [messageSid, body]));
    return asked.map(({ messageSid }) => bodies.get(messageSid) ?? null);
  }
}

/** What one document says; only a 2xx has one. */
function understood(result: SignedResult, url: string): Twiml | { readonly failure: AttemptResult } {
  if (result.kind !== 'response') return { failure: result };
  const { status, headers, body } = result;
  if (status < 200 || status > 299) {
    return { failure: { kind: 'response', status, retryAfterMs: retryAfterMs(headers['retry-after']) } };
  }
  try {
    const type = headers['content-type'];
    return readAnswer(typeof type === 'string' ? type : null, body, (document) => parseTwiml(document, url));
  } catch (error) {
    if (error instanceof BadAnswer) return failed(error.reason, error.code);
    throw error;
  }
}

function failed(reason: string, code: number): { readonly failure: AttemptResult } {
  return { failure: { kind: 'failure', reason, permanent: true, code } };
}
