import type { EventDefinition, StoredEvent } from '../../../shared/define-event.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { stageSpanId } from '../../../shared/traceparent.js';
import { receiptReceived, submissionAnswered } from '../../carriers/contract/carriers.events.js';
import {
  messageAccepted,
  messageCanceled,
  messageDelivered,
  messageFailed,
  messageQueued,
  messageScheduled,
  messageSent,
  messageUndelivered,
} from '../contract/messaging.events.js';
import { messageStages, waitingSinceMs } from './message-stages.js';

const START = 1_790_000_000_000;
const ID = newId(START);
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7';

function eventOf(
  definition: EventDefinition,
  version: number,
  afterMs: number,
  data: object,
  flags = '01',
): StoredEvent {
  return {
    type: definition.type,
    streamId: ID,
    version,
    tenantId: newId(),
    position: version,
    occurredAt: new Date(START + afterMs),
    traceparent: `${TRACE}-${flags}`,
    data: { messageSid: sidOf('SM', ID), accountSid: 'AC1', from: '+15550001111', to: '+15552223333', ...data },
  };
}

const accepted = eventOf(messageAccepted, 1, 4, {});
const answer = eventOf(submissionAnswered, 1, 40, { carrier: 'field', outcome: 'accepted', segments: 2, answerMs: 15 });
const receipt = eventOf(receiptReceived, 3, 90, { carrier: 'field', segment: 2, state: 'delivered', errorCode: null });
const sent = eventOf(messageSent, 2, 42, { carrier: 'field' });

const timesOf = (spans: ReturnType<typeof messageStages>) =>
  spans.map(({ name, startMs, endMs, error }) => [name, startMs - START, endMs - START, error]);

describe('the spans of a message, from the log', () => {
  it('are its life, and its stages by what the carriers wrote, of several attempts the last', () => {
    const spans = messageStages([accepted, sent, eventOf(messageDelivered, 3, 92, {})], [answer, receipt]);
    expect(timesOf(spans)).toEqual([
      ['messaging.message', 4, 92, null],
      ['messaging.queue', 4, 25, null],
      ['carriers.submit', 25, 40, null],
      ['carriers.receipt', 40, 90, null],
    ]);
    const before = eventOf(submissionAnswered, 0, 20, {
      carrier: 'busy',
      outcome: 'refused',
      segments: 2,
      answerMs: 5,
    });
    expect(messageStages([accepted, sent, eventOf(messageDelivered, 3, 92, {})], [before, answer, receipt])).toEqual(
      spans,
    );
    const [message, ...stages] = spans;
    expect(message).toMatchObject({
      parentSpanId: '00f067aa0ba902b7',
      spanId: stageSpanId(`${TRACE}-01`, 'messaging.message'),
    });
    expect(stages.map(({ parentSpanId }) => parentSpanId)).toEqual(stages.map(() => message!.spanId));
    expect(JSON.stringify(spans)).not.toContain('+1555');
  });

  it('say what failed where it did', () => {
    const refused = eventOf(submissionAnswered, 1, 40, { carrier: 'field', outcome: 'rejected', errorCode: 30006 });
    const rejected = messageStages([accepted, eventOf(messageFailed, 2, 41, { errorCode: 30006 })], [refused]);
    expect(rejected.map(({ name, error }) => [name, error])).toEqual([
      ['messaging.message', '30006'],
      ['messaging.queue', null],
      ['carriers.submit', '30006'],
    ]);
    const lost = eventOf(receiptReceived, 3, 90, { carrier: 'field', state: 'undelivered', errorCode: 30003 });
    const undelivered = eventOf(messageUndelivered, 3, 91, { errorCode: 30003 });
    const errors = messageStages([accepted, sent, undelivered], [answer, lost]).map(({ error }) => error);
    expect(errors).toEqual(['30003', null, null, '30003']);
  });

  it('begin with what is left of the request where that was not sampled', () => {
    const expired = eventOf(messageFailed, 2, 60_000, { errorCode: 30036 }, '00');
    const spans = messageStages([accepted, expired], []);
    expect(timesOf(spans)).toEqual([
      ['messaging.accept', 4, 4, null],
      ['messaging.message', 4, 60_000, '30036'],
      ['messaging.queue', 4, 60_000, null],
    ]);
    expect(spans[0]).toMatchObject({ parentSpanId: null, spanId: '00f067aa0ba902b7' });
  });

  it('tell the wait for its time apart where it was scheduled', () => {
    const scheduled = eventOf(messageScheduled, 1, 4, { sendAt: '2026-11-26T00:00:00Z' });
    const queued = eventOf(messageQueued, 2, 600_000, {});
    const late = { ...answer, occurredAt: new Date(START + 600_040) };
    const own = [scheduled, queued, { ...sent, version: 3 }, eventOf(messageDelivered, 4, 600_092, {})];
    expect(timesOf(messageStages(own, [late]))).toEqual([
      ['messaging.message', 4, 600_092, null],
      ['messaging.schedule', 4, 600_000, null],
      ['messaging.queue', 600_000, 600_025, null],
      ['carriers.submit', 600_025, 600_040, null],
    ]);
    expect(waitingSinceMs(own)).toBe(START + 600_000);
    const canceled = [scheduled, eventOf(messageCanceled, 2, 500, {})];
    expect(timesOf(messageStages(canceled, []))).toEqual([
      ['messaging.message', 4, 500, null],
      ['messaging.schedule', 4, 500, null],
    ]);
    expect([waitingSinceMs(canceled), waitingSinceMs([accepted]), waitingSinceMs([])]).toEqual([null, START + 4, null]);
  });

  it('are the same however often they are told, and none without a trace', () => {
    const own = [accepted, sent, eventOf(messageDelivered, 3, 92, {})];
    expect(messageStages(own, [answer, receipt])).toEqual(messageStages(own, [answer, receipt]));
    expect(messageStages([{ ...accepted, traceparent: null }], [])).toEqual([]);
    expect(messageStages([], [])).toEqual([]);
  });

  it('are told without the first event too, which may have been dropped with its partition', () => {
    const spans = messageStages([eventOf(messageDelivered, 3, 92, {})], []);
    expect(timesOf(spans)[0]).toEqual(['messaging.message', 0, 92, null]);
  });
});
