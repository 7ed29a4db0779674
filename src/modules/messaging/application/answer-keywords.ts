import { Inject, Injectable } from '@nestjs/common';
import type { DurableConsumer } from '../../../platform/event-log/consumer.js';
import { isPassing } from '../../../platform/event-log/effect.js';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import { Logger } from '../../../platform/tokens.js';
import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import { isFailure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import { messageReceived } from '../contract/messaging.events.js';
import { OptOutSettingsOf, type Receiver } from './opt-out-settings-of.js';
import { SendReply } from './send-reply.js';

/** The answer to a keyword; those of a webhook come after it. */
export const KEYWORD_ORDINAL = 0;

type Received = EventData<typeof messageReceived>;

/** Confirms what a keyword did, in the customer's words. What cannot be sent at the customer's expense is not. */
@Injectable()
export class AnswerKeywords implements DurableConsumer<void> {
  readonly id = 'messaging.keyword-replies';
  readonly source = 'messaging';
  readonly types = [messageReceived.type];
  readonly batchSize = 50;
  private readonly refused;

  constructor(
    private readonly settings: OptOutSettingsOf,
    private readonly replies: SendReply,
    metrics: Metrics,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.refused = metrics.counter({
      name: 'trunkline_keyword_replies_refused_total',
      help: 'Answers to keywords that could not be sent',
    });
  }

  concerns(event: StoredEvent): boolean {
    return (event.data as Received).isAnswered;
  }

  async prepare(events: readonly StoredEvent[]): Promise<void> {
    const receivers = events.map(receiverOf);
    const settings = await this.settings.of(receivers);
    await Promise.all(
      events.map((event, index) => {
        const { optOutType } = event.data as Received;
        const body = optOutType && settings[index]![optOutType].reply;
        return body ? this.answer(event, receivers[index]!, body) : undefined;
      }),
    );
  }

  private async answer(event: StoredEvent, { accountId, number, serviceId }: Receiver, body: string): Promise<void> {
    try {
      await this.replies.send({
        accountId,
        inboundId: event.streamId,
        ordinal: KEYWORD_ORDINAL,
        direction: 'outbound-keyword',
        from: number,
        to: (event.data as Received).from,
        body,
        serviceId,
        statusCallback: null,
        traceparent: event.traceparent ?? null,
      });
    } catch (error) {
      if (!isFailure(error) || isPassing(error)) throw error;
      this.refused.inc();
      const { messageSid, accountSid } = event.data as Received;
      const fields = { message_sid: messageSid, account_sid: accountSid, code: error.code };
      this.logger.warn(fields, 'a keyword is not answered');
    }
  }
}

function receiverOf(event: StoredEvent): Receiver {
  const { to, serviceSid } = event.data as Received;
  return {
    accountId: event.tenantId!,
    number: to,
    serviceId: serviceSid === null ? null : parseSid('MG', serviceSid),
  };
}
