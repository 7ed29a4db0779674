import { traceIdOf } from '../../shared/traceparent.js';
import { callerSpanId, joinTrace } from './trace-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const WRITTEN = /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/;

describe('traceparent', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, '01'],
    [`00-${TRACE}-${SPAN}-00`, '00'],
    [`00-${TRACE}-${SPAN}-03`, '01'],
    [`cc-${TRACE}-${SPAN}-01`, '01'],
    [`cc-${TRACE}-${SPAN}-01-what-comes-later`, '01'],
  ])('joins the trace of %s with a span of its own', (header, flags) => {
    const own = joinTrace(header);
    expect(own).toMatch(WRITTEN);
    expect(traceIdOf(own)).toBe(TRACE);
    expect(own).not.toContain(SPAN);
    expect(own.endsWith(`-${flags}`)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'x',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-1`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `cc-${TRACE}-${SPAN}-01more`,
  ])('begins a trace, unsampled, for %j', (header) => {
    const own = joinTrace(header);
    expect(own).toMatch(WRITTEN);
    expect(traceIdOf(own)).not.toBe(TRACE);
    expect(own.endsWith('-00')).toBe(true);
  });

  it('is sampled as is decided, which is asked once with the trace and the caller’s own decision', () => {
    const asked: unknown[] = [];
    const decide = (traceId: string, caller: boolean | null) => asked.push([traceId, caller]) > 1;
    expect(joinTrace(`00-${TRACE}-${SPAN}-01`, decide).endsWith('-00')).toBe(true);
    const begun = joinTrace('nonsense', decide);
    expect(begun.endsWith('-01')).toBe(true);
    expect(asked).toEqual([
      [TRACE, true],
      [traceIdOf(begun), null],
    ]);
  });

  it('tells the span of the caller, where there is one', () => {
    const header = `00-${TRACE}-${SPAN}-01`;
    expect(callerSpanId(header, joinTrace(header))).toBe(SPAN);
    expect(callerSpanId(header, joinTrace(undefined))).toBeNull();
    expect(callerSpanId('nonsense', joinTrace('nonsense'))).toBeNull();
    expect(callerSpanId(undefined, joinTrace(undefined))).toBeNull();
  });

  it('never gives a span twice', () => {
    const header = `00-${TRACE}-${SPAN}-01`;
    expect(new Set(Array.from({ length: 10_000 }, () => joinTrace(header))).size).toBe(10_000);
  });
});
