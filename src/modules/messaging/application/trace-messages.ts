import { Inject, Injectable } from '@nestjs/common';
import { EventBus } from '../../../platform/event-log/event-bus.js';
import { Allowance } from '../../../platform/telemetry/allowance.js';
import { Traces } from '../../../platform/telemetry/traces.js';
import { Logger } from '../../../platform/tokens.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import { idTimeMs } from '../../../shared/sid.js';
import { isSampled, type SpanRecord, stageSpan } from '../../../shared/traceparent.js';
import { MESSAGE_STAGE, SLOW_MESSAGE_MS } from '../contract/message-trace.events.js';
import { messageFailed, messageUndelivered } from '../contract/messaging.events.js';
import { MessagingLog } from '../infrastructure/messaging.storage.js';
import { messageStages, waitingSinceMs } from './message-stages.js';
import { SETTLE_STAGE, type Settled, SettleFinalMessages } from './settle-final-messages.js';

const BAD = [messageUndelivered.type, messageFailed.type];
/** Older events come from a replay, or from a long time without a worker: nobody looks for their traces any more. */
const MAX_AGE_MS = 3_600_000;
/** More events than any message has before it is final. */
const MAX_EVENTS = 50;
const MAX_WAITING = 1_000;
/** How many of those that took long are looked at a second, to see whether they only waited for their time. */
const LOOKS_PER_SECOND = 20;
const CAUSE = /^carriers\/(\d+)$/;

/**
 * Tells the traces of messages when they are final, from the log: of those that were sampled, and of those that failed or
 * were slow, whatever was decided. Nothing waits for it, and what there is no room for is dropped and counted.
 */
@Injectable()
export class TraceMessages {
  private readonly looks = new Allowance(LOOKS_PER_SECOND);
  private waiting = 0;
  private telling: Promise<void> = Promise.resolve();

  constructor(
    private readonly traces: Traces,
    private readonly log: MessagingLog,
    private readonly bus: EventBus,
    @Inject(Logger) private readonly logger: Logger,
    settle: SettleFinalMessages,
  ) {
    if (traces.isOn) settle.observe = (settled) => this.settled(settled);
  }

  /** Resolves when what came so far is told. */
  drain(): Promise<void> {
    return this.telling;
  }

  private settled(settled: Settled): void {
    const events = settled.events.filter((event) => this.isSeen(event));
    if (events.length === 0) return;
    if (this.waiting + events.length > MAX_WAITING) {
      this.traces.drop(events.length);
      return;
    }
    this.waiting += events.length;
    this.telling = this.telling.then(() => this.tell({ ...settled, events }));
  }

  private isSeen({ type, traceparent, streamId, occurredAt }: StoredEvent): boolean {
    if (!traceparent || Date.now() - occurredAt.getTime() > MAX_AGE_MS) return false;
    if (isSampled(traceparent)) return true;
    if (BAD.includes(type)) return this.traces.mayKeep();
    return occurredAt.getTime() - idTimeMs(streamId) > SLOW_MESSAGE_MS && this.looks.take();
  }

  private async tell(settled: Settled): Promise<void> {
    for (const event of settled.events) {
      try {
        const stages = await this.stagesOf(event);
        if (stages.length > 0) this.traces.record(...stages, settleSpan(event, settled));
      } catch (error) {
        this.traces.drop(1);
        this.logger.warn({ err: error }, 'the trace of a message could not be read from the log');
      }
      this.waiting -= 1;
    }
  }

  /** None where it turns out that nothing is to be told. */
  private async stagesOf(final: StoredEvent): Promise<SpanRecord[]> {
    const history = await this.log.readStream(final.streamId, MAX_EVENTS);
    const own = history.filter((event) => event.version <= final.version);
    const isWanted = isSampled(final.traceparent) || BAD.includes(final.type);
    if (!isWanted && !(isSlow(own) && this.traces.mayKeep())) return [];
    const causes = own.flatMap(({ causation }) => CAUSE.exec(causation ?? '')?.[1] ?? []).map(Number);
    return messageStages(own, causes.length === 0 ? [] : await this.bus.log('carriers').readAt(causes));
  }
}

/** By what it waited for a carrier and its receipt; a scheduled message waits for its time besides. */
function isSlow(own: readonly StoredEvent[]): boolean {
  const sinceMs = waitingSinceMs(own);
  return sinceMs !== null && own.at(-1)!.occurredAt.getTime() - sinceMs > SLOW_MESSAGE_MS;
}

function settleSpan({ traceparent }: StoredEvent, { startMs, endMs }: Settled): SpanRecord {
  const rest = { name: SETTLE_STAGE, kind: 'internal', startMs, endMs, attributes: {}, error: null } as const;
  return stageSpan(traceparent!, SETTLE_STAGE, MESSAGE_STAGE, rest);
}
