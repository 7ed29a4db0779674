import type { Traces } from '../../../platform/telemetry/traces.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { type SpanRecord, spanIdOf } from '../../../shared/traceparent.js';
import type { Attempted, AttemptResult } from '../domain/delivery.js';
import { attemptTraceparent } from './delivery-trace.js';
import { TraceDeliveries } from './trace-deliveries.js';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7';
const GONE: AttemptResult = { kind: 'response', status: 410, retryAfterMs: null };

function attempted(flags: string, rest: Partial<Attempted> = {}, attempts = 0): Attempted {
  const messageId = newId();
  const delivery = {
    accountId: newId(),
    messageId,
    version: 3,
    url: 'https://user:word@hooks.example.com:8443/secret/path?to=%2B15551234567',
    attempts,
    traceparent: `${TRACE}-${flags}`,
    callback: {
      messageSid: sidOf('SM', messageId),
      accountSid: sidOf('AC', newId()),
      status: 'delivered',
      from: '+15005550006',
      to: '+15551234567',
      serviceSid: null,
      errorCode: null,
      doneDate: null,
    },
  };
  const result: AttemptResult = { kind: 'response', status: 204, retryAfterMs: null };
  return { delivery, result, state: 'delivered', tookMs: 12, ...rest };
}

/** What is told of attempts, with room for `room` traces that nobody sampled. */
function told(room: number, ...attempts: Attempted[]): SpanRecord[] {
  const spans: SpanRecord[] = [];
  let left = room;
  const traces = { isOn: true, mayKeep: () => left-- > 0, record: (...more: SpanRecord[]) => void spans.push(...more) };
  const courier = { observers: [] as ((attempt: Attempted) => void)[] };
  new TraceDeliveries(traces as unknown as Traces, courier as never);
  for (const attempt of attempts) for (const observe of courier.observers) observe(attempt);
  return spans;
}

describe('the trace of a callback', () => {
  it('has a span for each attempt, which is the one that its endpoint is told of', () => {
    const [first, second] = [attempted('01', { result: GONE, state: 'pending' }), attempted('01', {}, 1)];
    const spans = told(0, first, second);
    expect(spans.map(({ spanId }) => spanId)).toEqual(
      [first, second].map(({ delivery }) => spanIdOf(attemptTraceparent(`${TRACE}-01`, delivery))),
    );
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(2);
    expect(spans[0]).toMatchObject({ error: 'HTTP 410', attributes: { 'http.response.status_code': 410 } });
    expect(spans[1]).toMatchObject({ error: null, attributes: { 'http.request.resend_count': 1 } });
    expect(spans[1]!.endMs - spans[1]!.startMs).toBe(12);
  });

  it('names the endpoint’s host, and no more of its URL', () => {
    const [span] = told(0, attempted('01'));
    expect(span!.attributes['server.address']).toBe('hooks.example.com:8443');
    expect(JSON.stringify(span)).not.toMatch(/secret|word|1555/);
  });

  it('that nobody sampled is told when it died, with its message, as far as there is room', () => {
    const dead = () => attempted('00', { result: GONE, state: 'dead' });
    const refused = attempted('00', { result: GONE, state: 'dead', tookMs: null });
    const spans = told(
      2,
      attempted('00'),
      attempted('00', { result: GONE, state: 'pending' }),
      dead(),
      refused,
      dead(),
    );
    const names = ['messaging.accept', 'messaging.message', 'notifications.callback delivered'];
    expect(spans.map(({ name }) => name)).toEqual([...names, ...names]);
    expect(spans.map(({ parentSpanId }) => parentSpanId).slice(0, 3)).toEqual([
      null,
      spans[0]!.spanId,
      spans[1]!.spanId,
    ]);
    const { delivery } = attempted('00');
    expect(attemptTraceparent(`${TRACE}-00`, delivery)).toBe(`${TRACE}-00`);
  });
});
