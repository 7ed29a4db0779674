import {
  isSampled,
  isTraceparent,
  spanIdOf,
  stageSpan,
  stageSpanId,
  stageTraceparent,
  traceIdOf,
} from './traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const SAMPLED = `00-${TRACE}-${SPAN}-01`;
const UNSAMPLED = `00-${TRACE}-${SPAN}-00`;

describe('a traceparent', () => {
  it('is taken apart', () => {
    expect([traceIdOf(SAMPLED), spanIdOf(SAMPLED)]).toEqual([TRACE, SPAN]);
    expect([SAMPLED, UNSAMPLED, null, undefined].map(isSampled)).toEqual([true, false, false, false]);
  });

  it.each(['', 'x', `00-${TRACE}-${SPAN}-02`, `01-${TRACE}-${SPAN}-01`, `${SAMPLED},`, `${SAMPLED}\n`])(
    'is not %j',
    (text) => {
      expect([isTraceparent(SAMPLED), isTraceparent(UNSAMPLED), isTraceparent(text)]).toEqual([true, true, false]);
    },
  );
});

describe('the stage of a trace', () => {
  it('has an id that follows from the trace, the span and its name, sampled or not', () => {
    const id = stageSpanId(SAMPLED, 'settle');
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(stageSpanId(UNSAMPLED, 'settle')).toBe(id);
    const others = [
      stageSpanId(SAMPLED, 'queue'),
      stageSpanId(SAMPLED.replace('b7', 'b8'), 'settle'),
      stageSpanId(SAMPLED.replace('4736', '4737'), 'settle'),
    ];
    expect(new Set([id, SPAN, ...others]).size).toBe(5);
  });

  it('is passed on in the same trace, with the same decision', () => {
    const passed = stageTraceparent(SAMPLED, 'settle');
    expect(passed).toBe(`00-${TRACE}-${stageSpanId(SAMPLED, 'settle')}-01`);
    expect(isTraceparent(passed)).toBe(true);
    expect(isSampled(stageTraceparent(UNSAMPLED, 'settle'))).toBe(false);
  });

  it('belongs to the span of the traceparent, or to another stage', () => {
    const rest = { name: 'n', kind: 'internal', startMs: 1, endMs: 2, attributes: {}, error: null } as const;
    expect(stageSpan(SAMPLED, 'a', null, rest)).toEqual({
      traceId: TRACE,
      spanId: stageSpanId(SAMPLED, 'a'),
      parentSpanId: SPAN,
      ...rest,
    });
    expect(stageSpan(SAMPLED, 'b', 'a', rest).parentSpanId).toBe(stageSpanId(SAMPLED, 'a'));
  });
});
