import fc from 'fast-check';
import { newId } from '../../../shared/sid.js';
import {
  accepted,
  answered,
  begun,
  canceled,
  departed,
  expired,
  FINAL,
  firstStatus,
  type Message,
  receipted,
} from './message.js';

const AT = new Date('2026-01-02T03:04:05Z');

function message(fields: Partial<Message> = {}): Message {
  return {
    id: newId(),
    accountId: newId(),
    version: 1,
    status: 'queued',
    lane: 'normal',
    queue: 'carrier-1',
    from: '+15005550006',
    to: '+15555550100',
    segments: 1,
    serviceId: null,
    callbackUrl: null,
    carrier: null,
    receipts: 0n,
    errorCode: null,
    sentAt: null,
    validUntil: AT,
    traceparent: null,
    ...fields,
  };
}

const taken = { outcome: 'accepted', carrier: 'carrier-1', errorCode: null } as const;
const delivered = (segment = 1) =>
  ({
    segment,
    segments: 3,
    state: 'delivered',
    errorCode: null,
    carrier: 'carrier-1',
    doneDate: '2601020304',
  }) as const;
const lost = (segment = 1) => ({ ...delivered(segment), state: 'undelivered', errorCode: 30003 }) as const;

describe('a scheduled message', () => {
  const going = { from: '+15005550009', queue: 'carrier-2' };
  const scheduled = () => message({ status: 'scheduled', serviceId: newId() });

  it('begins as such, and tells when it is to be sent', () => {
    expect([firstStatus('s', true), firstStatus('s', false), firstStatus(null, false)]).toEqual([
      'scheduled',
      'accepted',
      'queued',
    ]);
    const event = begun(scheduled(), { sendAt: AT, isFromAsked: false });
    expect(event).toMatchObject({ type: 'messaging.message-scheduled.v1', data: { sendAt: AT.toISOString() } });
    expect(begun(message(), null).type).toBe('messaging.message-accepted.v1');
  });

  it('given its time has come, then it waits for a carrier, with the sender and the queue of then', () => {
    const decision = departed(scheduled(), going);
    expect(decision?.message).toMatchObject({ status: 'queued', version: 2, ...going });
    expect(decision?.event).toMatchObject({ type: 'messaging.message-queued.v1', version: 2, data: going });
    expect(departed(decision!.message, going)).toBeNull();
  });

  it('given its time has come, when it may not be sent any more, then it failed with the code', () => {
    expect(departed(scheduled(), { errorCode: 21703 })?.message).toMatchObject({ status: 'failed', errorCode: 21703 });
  });

  it('given it was taken back, when its time comes, then nothing happens; and no carrier has a part in it before', () => {
    const decision = canceled(scheduled());
    expect(decision?.message.status).toBe('canceled');
    expect(departed(decision!.message, going)).toBeNull();
    expect([answered(scheduled(), taken, AT), receipted(scheduled(), delivered()), expired(scheduled())]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

describe('a message', () => {
  it('given it waits, when a carrier takes it, then it is sent', () => {
    const decision = answered(message(), taken, AT);
    expect(decision?.message).toMatchObject({ status: 'sent', version: 2, carrier: 'carrier-1', sentAt: AT });
    expect(decision?.event).toMatchObject({ type: 'messaging.message-sent.v1', version: 2 });
  });

  it('given it waits, when a carrier refuses it, then it failed with the code', () => {
    const decision = answered(message(), { ...taken, outcome: 'rejected', errorCode: 30005 }, AT);
    expect(decision?.message).toMatchObject({ status: 'failed', errorCode: 30005, sentAt: null });
  });

  it('given it waits, when the answer is lost, then it failed with 30008', () => {
    const decision = answered(message(), { ...taken, outcome: 'unknown' }, AT);
    expect(decision?.message).toMatchObject({ status: 'failed', errorCode: 30008 });
  });

  it('given several segments, when each is delivered, then it is delivered with the last', () => {
    const sent = message({ status: 'sent', version: 2, segments: 3 });
    const one = receipted(sent, delivered(2))!;
    expect(one).toMatchObject({ message: { status: 'sent', version: 2, receipts: 0b010n }, event: null });
    const two = receipted(one.message, delivered(1))!;
    expect(receipted(two.message, delivered(1))).toBeNull();
    const three = receipted(two.message, delivered(3))!;
    expect(three.message).toMatchObject({ status: 'delivered', version: 3, receipts: 0b111n });
    expect(three.event).toMatchObject({ type: 'messaging.message-delivered.v1', version: 3 });
  });

  it('given several segments that the carrier took in one piece, when it is delivered, then all are', () => {
    const sent = message({ status: 'sent', version: 2, segments: 3 });
    expect(receipted(sent, { ...delivered(1), segments: 1 })?.message).toMatchObject({
      status: 'delivered',
      receipts: 0b111n,
    });
  });

  it('given several segments, when one is not delivered, then the message is not', () => {
    const sent = message({ status: 'sent', version: 2, segments: 2, receipts: 0b01n });
    expect(receipted(sent, lost(2))?.message).toMatchObject({ status: 'undelivered', errorCode: 30003 });
  });

  it('given its validity has ended, then unsent it failed with 30036 and sent it is undelivered with 30008', () => {
    expect(expired(message())?.message).toMatchObject({ status: 'failed', errorCode: 30036 });
    expect(expired(message({ status: 'sent' }))?.message).toMatchObject({ status: 'undelivered', errorCode: 30008 });
  });

  it('names its text in no event', () => {
    expect(Object.keys(accepted(message()).data as object)).not.toContain('body');
  });

  it('reaches one final state and stays there, whatever comes in whatever order, with one event a version', () => {
    type Step = (state: Message) => ReturnType<typeof expired>;
    const steps: Record<string, Step> = {
      taken: (state) => answered(state, taken, AT),
      rejected: (state) => answered(state, { ...taken, outcome: 'rejected', errorCode: 30007 }, AT),
      unknown: (state) => answered(state, { ...taken, outcome: 'unknown' }, AT),
      delivered1: (state) => receipted(state, delivered(1)),
      delivered2: (state) => receipted(state, delivered(2)),
      lost: (state) => receipted(state, lost(2)),
      enroute: (state) => receipted(state, { ...delivered(1), state: 'enroute' }),
      expired: (state) => expired(state),
      canceled: (state) => canceled(state),
      due: (state) => departed(state, { from: '+15005550009', queue: 'carrier-2' }),
      tooLate: (state) => departed(state, { errorCode: 21703 }),
    };
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 40 }),
        (isLater, names) => {
          let state = message({ segments: 2, status: isLater ? 'scheduled' : 'queued' });
          let finals = 0;
          for (const name of names) {
            const decision = steps[name]!(state);
            if (!decision) continue;
            expect(FINAL).not.toContain(state.status);
            expect(decision.message.version).toBe(state.version + (decision.event ? 1 : 0));
            if (decision.event) expect(decision.event.version).toBe(decision.message.version);
            state = decision.message;
            if (FINAL.includes(state.status)) finals++;
          }
          expect(finals).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
