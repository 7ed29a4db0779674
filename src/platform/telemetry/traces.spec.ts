import { eventually } from '../../../test/support/eventually.js';
import { OtlpReceiver } from '../../../test/support/otlp-receiver.js';
import { type SpanRecord, stageSpanId } from '../../shared/traceparent.js';
import { Logger } from '../tokens.js';
import { Metrics } from './metrics.js';
import { MAX_PENDING, SpanExport } from './span-export.js';
import { droppedSpans, Traces } from './traces.js';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const NOW = 1_790_000_000_000;

class Quiet extends Logger {
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}

const spanOf = (stage: string, rest: Partial<SpanRecord> = {}): SpanRecord => ({
  traceId: TRACEPARENT.slice(3, 35),
  spanId: stageSpanId(TRACEPARENT, stage),
  parentSpanId: '00f067aa0ba902b7',
  name: stage,
  kind: 'internal',
  startMs: NOW + 0.5,
  endMs: NOW + 2,
  attributes: { 'trunkline.carrier': 'field' },
  error: null,
  ...rest,
});

let receiver: OtlpReceiver;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  receiver = await OtlpReceiver.start();
  closing.push(() => receiver.stop());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function started(endpoint = receiver.endpoint) {
  const metrics = new Metrics(new Quiet());
  const dropped = droppedSpans(metrics);
  const tracing = { endpoint, sampler: 'always_on', ratio: 1, serviceName: 'tested' } as const;
  const errors: unknown[] = [];
  const sink = new SpanExport(tracing, { 'trunkline.roles': 'api' }, (count, error) => {
    errors.push(error);
    dropped.inc({ reason: 'export' }, count);
  });
  const traces = new Traces(sink, undefined, dropped);
  const lost = async () => {
    const text = await metrics.render();
    return Object.fromEntries(
      [...text.matchAll(/^trunkline_trace_spans_dropped_total\{reason="(\w+)"\} (\d+)$/gm)].map((m) => [m[1], +m[2]!]),
    );
  };
  return { traces, lost, errors };
}

describe('traces', () => {
  it('are sent as they were told: ids, times, kind, attributes, error', async () => {
    const { traces, lost } = started(`${receiver.endpoint}/`);
    const root = spanOf('root', { parentSpanId: null, kind: 'server' });
    const { error: _, ...expected } = root;
    traces.record(root, spanOf('child', { kind: 'client', error: '30003', endMs: NOW }));
    await traces.onApplicationShutdown();
    expect(receiver.spans).toEqual([
      expect.objectContaining({
        ...expected,
        service: 'tested',
        roles: 'api',
        isError: false,
      }),
      expect.objectContaining({
        name: 'child',
        kind: 'client',
        parentSpanId: '00f067aa0ba902b7',
        startMs: NOW + 0.5,
        // Never of negative length.
        endMs: NOW + 0.5,
        attributes: { 'trunkline.carrier': 'field', 'error.type': '30003' },
        isError: true,
      }),
    ]);
    expect(await lost()).toEqual({ queue: 0, export: 0, allowance: 0 });
  });

  it('are dropped and counted where the receiver fails, and nobody hears an error', async () => {
    receiver.answer = () => 400;
    const { traces, lost, errors } = started();
    traces.record(...Array.from({ length: 600 }, (_, index) => spanOf(`stage ${index}`)));
    await eventually(async () => (await lost()).export! >= 512, { what: 'a batch is given up' });
    expect(errors[0]).toBeInstanceOf(Error);
    await traces.onApplicationShutdown();
  });

  it('wait in a queue that has an end: what does not fit is not even made', async () => {
    receiver.answer = () => null;
    const { traces, lost } = started();
    for (let index = 0; index < MAX_PENDING + 50; index++) traces.record(spanOf(`stage ${index}`));
    expect((await lost()).queue).toBe(50);
    // It stops all the same, in its time.
    await traces.onApplicationShutdown();
  });

  it('that were not sampled are kept up to an allowance', async () => {
    const { traces, lost } = started();
    const kept = Array.from({ length: 120 }, () => traces.mayKeep()).filter((isKept) => isKept).length;
    expect(kept).toBeGreaterThanOrEqual(50);
    expect((await lost()).allowance).toBe(120 - kept);
    await traces.onApplicationShutdown();
  });

  it('are not made where there is nowhere to send them', () => {
    const traces = new Traces(null, undefined, droppedSpans(new Metrics(new Quiet())));
    traces.record(spanOf('nothing'));
    expect([traces.isOn, traces.mayKeep(), receiver.requests]).toEqual([false, false, 0]);
    expect(traces.join(undefined)).toMatch(/-00$/);
    expect(traces.join(TRACEPARENT)).toMatch(/-01$/);
  });
});
